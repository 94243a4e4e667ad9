"""Where the programs of a cluster come from, and what is said when they come from nowhere."""

from pathlib import Path

import pytest

from harness.components import find_or_build
from harness.missing import Missing


def program(path: Path, content: str) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and nothing on its PATH but what a test puts into `bin`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path


def test_assets_come_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the folder that KUBEBUILDER_ASSETS names is taken as it is."""
    etcd = program(machine / "assets" / "etcd", "")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(etcd.parent))
    assert find_or_build(["etcd"]) == {"etcd": etcd}


def test_go_builds_once(machine: Path) -> None:
    """What Go built is kept: the second time it is not asked."""
    go = program(
        machine / "bin" / "go",
        '#!/bin/sh\n[ "$1" = env ] && echo go1.26.0 && exit\nfor last; do name=${last##*/}; done\n'
        'while [ "$1" != -o ]; do shift; done\necho built $name > "$2"; /bin/chmod 755 "$2"\n',
    )
    built = find_or_build(["etcd"])["etcd"]
    assert built.read_text() == "built etcd\n"
    go.unlink()
    assert find_or_build(["etcd"]) == {"etcd": built}


@pytest.mark.parametrize(
    ("go", "name", "said"),
    [
        pytest.param(None, "etcd", "there is no Go to build it with: install Go 1.21", id="no Go"),
        pytest.param(
            "echo go1.19.8", "helm", r"Go is too old to build it \(go1.19.8\): install Go 1.21", id="an old Go"
        ),
        pytest.param(
            '[ "$1" = env ] && echo go1.26.0 && exit\necho downloading >&2; echo no route to host >&2; exit 1',
            "coredns",
            "^coredns v[0-9.]+: Go could not build it: no route to host$",
            id="a build that fails",
        ),
        pytest.param(
            "echo go1.26.0", "kubeadm", "^kubeadm: not a program that this repository builds", id="an unknown name"
        ),
    ],
)
def test_what_is_missing_is_one_line(machine: Path, go: str | None, name: str, said: str) -> None:
    """The line names the program, its version and what to do."""
    if go is not None:
        program(machine / "bin" / "go", f"#!/bin/sh\n{go}\n")
    with pytest.raises(Missing, match=said) as raised:
        find_or_build([name])
    assert "\n" not in str(raised.value)
