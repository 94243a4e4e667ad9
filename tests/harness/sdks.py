"""Vendors' SDKs in virtual environments of their own: their versions exclude one another, and ours.

What is in one is locked with hashes in `requirements/sdks/NAME.lock`. It is made once a machine for each content of
that file, by whoever needs it first, in the folder that everything built once is kept in.
"""

import configparser
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.cache import cache_folder, say
from harness.missing import Missing
from harness.pages import REPOSITORY
from harness.pipconfig import PipConfig, pip_config

LOCKS = REPOSITORY / "requirements" / "sdks"
BUILD_SECONDS = 600
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
"""What pip is told where packages come from, and the variables that tell uv; lists have commas there."""


def sdk_python(name: str) -> Path:
    """The Python of an SDK's environment, which is made if it is not there.

    Args:
        name: The lock, as in `requirements/sdks/NAME.lock`.

    Raises:
        Missing: Its packages are not to be had, offline for instance.
    """
    lock = LOCKS / f"{name}.lock"
    key = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache_folder() / "sdks" / f"{name}-{key}"
    python, complete = folder / "bin" / "python", folder / ".complete"
    with _alone(folder.with_suffix(".lock")):
        if not complete.exists():
            say(f"making the environment of {lock.relative_to(REPOSITORY)}")
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(folder))
            _uv("pip", "install", "--python", str(python), "--require-hashes", "--requirement", str(lock))
            complete.touch()
    return python


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One maker at a time; the others find it made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def uv_environment(pip: PipConfig, *, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables with which uv reaches the index that pip reaches; what is said to uv itself stays."""
    settings = configparser.RawConfigParser()
    settings.read_string(pip.content)
    said = {_VARIABLES[name]: value for name, value in settings["global"].items() if name in _VARIABLES}
    return {name: ",".join(value.split()) for name, value in said.items()} | dict(environment)


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", "--quiet", *arguments]
    environment = uv_environment(pip_config(), environment=os.environ)
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False, env=environment)
    if done.returncode:
        raise Missing(f"`uv {' '.join(arguments)}` failed: {done.stderr.strip()[-2000:]}")
