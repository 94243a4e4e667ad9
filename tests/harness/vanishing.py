"""A mock upstream on a network of its own, which can vanish: from one moment to the next nobody answers for it.

A program that is killed still has a kernel that closes its connections, and that is not what a node without power
does, or a pod whose network is taken away. Here the network itself goes, and no end of a connection is ever told.
Needs Linux and root.
"""

import ipaddress
import json
import os
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from harness import packages
from harness.missing import Missing
from harness.process import NotReady, Process, wait_until

PORT = 8000
_SLOTS = 16
_SERVE = """
until ip -oneline -4 address show dev eth0 2>/dev/null | grep -q inet; do sleep 0.02; done
exec "$0" -c "from understudy.main import main; main()" mock --host=0.0.0.0 "$@"
"""


class VanishingMock:
    """`understudy mock` in a network namespace; a context manager."""

    def __init__(self, name: str, folder: Path) -> None:
        """See what is needed; nothing runs before entering.

        Args:
            name: Who answers.
            folder: Where its log is put.

        Raises:
            Missing: The machine cannot have a network namespace.
        """
        _check_machine()
        serving = ["sh", "-c", _SERVE, sys.executable, f"--name={name}", f"--port={PORT}"]
        self._process = Process(["unshare", "--net", "--", *serving], log=folder / f"{name}.log")
        self._interface = ""
        self.host = ""
        """Its address."""

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://{self.host}:{PORT}"

    def __enter__(self) -> Self:
        """Start, and wait until it listens."""
        self._process.start()
        try:
            self._connect()
            wait_until(self._listens, within_seconds=30, what=f"{self.url} listens", process=self._process)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and its network."""
        self._close()

    def play(self, *faults: str) -> None:
        """Have it fail from now on; see `understudy mock`."""
        self._told("PUT", "faults", json.dumps(faults).encode())

    def asked(self) -> int:
        """How many requests have reached it."""
        return int(json.loads(self._told("GET", "stats"))["requests"])

    def vanish(self) -> None:
        """Be gone: what is sent to it gets lost, and nothing comes from it any more."""
        hardware = json.loads(_run(*self._inside("ip", "-json", "link", "show", "eth0")))[0]["address"]
        # A router on the way would take packets for it as before; only neighbors would learn that nobody is there.
        _run("ip", "neighbor", "replace", self.host, "lladdr", hardware, "dev", self._interface, "nud", "permanent")
        _run(*self._inside("ip", "address", "flush", "dev", "eth0"))

    def be_deleted(self) -> None:
        """Be gone, and let the neighbors find out that nobody has the address any more, as those of a pod do."""
        _run(*self._inside("ip", "address", "flush", "dev", "eth0"))
        _run("ip", "neighbor", "flush", "dev", self._interface)

    def _connect(self) -> None:
        wait_until(self._is_apart, within_seconds=10, what="the network namespace is there", process=self._process)
        slot, self._interface = _new_interface(self._process.pid)
        near, far = ipaddress.ip_network(f"10.252.{slot}.0/30").hosts()
        self.host = str(far)
        _run("ip", "address", "add", f"{near}/30", "dev", self._interface)
        _run("ip", "link", "set", self._interface, "up")
        _run(*self._inside("ip", "link", "set", "lo", "up"))
        _run(*self._inside("ip", "link", "set", "eth0", "up"))
        _run(*self._inside("ip", "address", "add", f"{far}/30", "dev", "eth0"))

    def _close(self) -> None:
        self._process.kill()
        if self._interface:  # it would stay for as long as the dead kernel sockets behind it try to say goodbye
            with suppress(NotReady):  # else it has gone with its namespace just now
                _run("ip", "link", "delete", self._interface)

    def _is_apart(self) -> bool:
        return Path(f"/proc/{self._process.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()

    def _inside(self, *command: str) -> list[str]:
        return ["nsenter", f"--target={self._process.pid}", "--net", "--", *command]

    def _told(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(f"{self.url}/_mock/{path}", body, method=method)  # noqa: S310 - our own mock
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            said: bytes = answer.read()
        return said

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, PORT), timeout=1).close()
        except OSError:
            return False
        return True


def _check_machine() -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Missing("a peer that vanishes needs Linux and root: run the tests so")
    packages.ensure({"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux"})
    refused = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False).stderr.strip()
    if refused:
        raise Missing(f"a peer that vanishes needs a network namespace of its own, and here: {refused}")


def _new_interface(pid: int) -> tuple[int, str]:
    """A wire to the namespace of a process: its number on this machine, and the name of this end."""
    for slot in range(_SLOTS):
        name = f"vanishing{slot}"
        added = ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(pid)]
        if subprocess.run(added, capture_output=True, check=False).returncode == 0:
            return slot, name
    raise Missing(f"a peer that vanishes needs a virtual interface, vanishing0 to vanishing{_SLOTS - 1}: none is free")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode != 0:
        raise NotReady(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
