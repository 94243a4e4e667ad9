"""The machine's own programs that a node is made of, installed where that is possible.

Nothing is installed but by Debian's package manager, as root, and only what is missing.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.missing import Missing

CNI_FOLDER = Path("/usr/lib/cni")
# Program (or file) -> the Debian package that brings it.
NODE = {
    "containerd": "containerd",
    "runc": "runc",
    str(CNI_FOLDER / "bridge"): "containernetworking-plugins",
    "iptables": "iptables",
    "ip": "iproute2",
    "conntrack": "conntrack",
    "nsenter": "util-linux",
}
IMAGES = {
    "buildah": "buildah",
    "runc": "runc",
    "debootstrap": "debootstrap",
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}
_INSTALL_SECONDS = 15 * 60


def ensure(programs: dict[str, str]) -> None:
    """See that the programs are there, and install what is not.

    Raises:
        Missing: A program is not there and cannot be installed.
    """
    absent = sorted({package for program, package in programs.items() if not _present(program)})
    if not absent:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"{', '.join(absent)}: install them (on Debian, as root: apt-get install {' '.join(absent)})")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *absent]):
        _apt(command, environment)


def _present(program: str) -> bool:
    # A user's PATH may leave out the folders of the system's programs.
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return Path(program).exists() if program.startswith("/") else shutil.which(program, path=path) is not None


def _apt(command: Sequence[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["apt-get", "--quiet", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        because = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Missing(f"apt-get {' '.join(command)} failed: {because}")
