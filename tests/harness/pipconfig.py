"""How pip reaches its index on this machine, told to a pip that runs in an image build.

A build sees the machine's settings as mounted files, so that none of them becomes part of an image.
"""

import ast
import configparser
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# What says where packages come from; settings about where they go are the build's own.
_REACH = frozenset(
    (
        "index-url",
        "extra-index-url",
        "find-links",
        "no-index",
        "cert",
        "client-cert",
        "trusted-host",
        "proxy",
        "timeout",
    )
)
_MOUNTED = ("find-links", "cert", "client-cert")
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class PipConfig:
    """A pip configuration file, and the machine's files that it speaks of.

    Attributes:
        content: For `/etc/pip.conf`.
        files: Paths to be mounted where they are.
    """

    content: str
    files: tuple[Path, ...] = field(default=())


def pip_config() -> PipConfig:
    """The settings of the pip that installed these tests' own dependencies."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    return read_pip_config(said, environment=os.environ)


def read_pip_config(listing: str, *, environment: Mapping[str, str]) -> PipConfig:
    """Keep from `pip config list` what says where packages come from.

    Args:
        listing: Lines such as `global.index-url='…'`; later ones win, and those from variables come last.
        environment: Where a certificate bundle for all programs may be named.
    """
    settings: dict[str, str] = {}
    bundle = next((environment[name] for name in _CERTIFICATES if environment.get(name)), None)
    if bundle is not None:
        settings["cert"] = bundle
    for name, value in sorted(map(_setting, listing.splitlines()), key=lambda pair: pair[0].startswith(":env:")):
        key = name.rpartition(".")[2].removeprefix("default-")
        if key in _REACH:
            settings[key] = value
    config = configparser.RawConfigParser()
    config["global"] = settings
    written = io.StringIO()
    config.write(written)
    named = (Path(word) for key in _MOUNTED for word in settings.get(key, "").split())
    return PipConfig(written.getvalue(), tuple(path for path in named if path.is_absolute() and path.exists()))


def _setting(line: str) -> tuple[str, str]:
    name, _, literal = line.partition("=")
    return name, str(ast.literal_eval(literal))
