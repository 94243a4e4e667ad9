"""Where the mesh's registry comes from, and what is said when it comes from nowhere."""

import platform
import sys
from pathlib import Path

import pytest

from harness.mesh.programs import SHA512, VERSION, registry_program
from harness.missing import Missing

pytestmark = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the registry is published for no other machine"
)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and nothing on its PATH but what a test puts into `bin`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def npm(machine: Path, script: str) -> None:
    """An npm that does this; `$folder` is where the archive is to go."""
    path = machine / "bin" / "npm"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\nfolder=$4\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(None, "there is no npm to fetch it with: install npm", id="no npm"),
        pytest.param("echo fetching >&2; echo no route to host >&2; exit 1", "no route to host$", id="offline"),
        pytest.param("exit 0", "npm could not fetch it: no message", id="nothing came"),
        pytest.param(
            'echo other > "$folder/a.tgz"', f"the archive's SHA-512 is .*, not {SHA512[:9]}", id="another one"
        ),
    ],
)
def test_what_is_missing(machine: Path, script: str | None, said: str) -> None:
    """Whoever wants the registry hears in one line why it is not there; nothing that is not it is kept."""
    if script is not None:
        npm(machine, script)
    with pytest.raises(Missing, match=said) as missing:
        registry_program()
    assert "\n" not in str(missing.value)
    assert VERSION in str(missing.value)
    assert [] == [path for path in machine.rglob("*registry*") if path.is_file()]
