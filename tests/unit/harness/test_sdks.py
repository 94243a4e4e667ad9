"""SDKs come from where pip gets everything else."""

import re
from pathlib import Path

import pytest

from harness.pipconfig import read_pip_config
from harness.sdks import LOCKS, uv_environment

LISTING = "global.index-url='https://mirror.example/simple'\nglobal.find-links='/a /b'\ninstall.user='yes'"


def test_uv_is_told_what_pip_is_told() -> None:
    """A mirror is configured once, for pip."""
    told = uv_environment(read_pip_config(LISTING, environment={}), environment={"PATH": "/bin"})
    assert told == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_FIND_LINKS": "/a,/b",
        "PATH": "/bin",
    }


def test_what_uv_is_told_itself_stays() -> None:
    """Whoever configures uv means it."""
    given = {"UV_DEFAULT_INDEX": "https://other.example/simple"}
    assert uv_environment(read_pip_config(LISTING, environment={}), environment=given).items() >= given.items()


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*.lock")), ids=lambda path: path.stem)
def test_locks_have_hashes_and_no_addresses(lock: Path) -> None:
    """Any index will do, and none can change what is installed."""
    text = lock.read_text()
    assert "://" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert [line for line in requirements if "--hash=sha256:" not in line] == []
