"""A place of its own for a node, so that the machine around it stays as it was.

The node's containerd, kubelet and kube-proxy run in their own process, mount, network and IPC namespaces:
what they mount, route, filter and start is seen there alone, and the kernel takes all of it back when the
first process of the namespace dies, whichever way the run ends. Left on the machine are one pair of virtual
interfaces (gone with the namespace), and control groups under one name (removed by `close`, or by the next run).
"""

import ipaddress
import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.missing import Missing
from harness.process import NotReady, Process, wait_until

_CGROUPS = Path("/sys/fs/cgroup")
# The kubelet sets these for the whole machine; it gets files of its own to write to.
_SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
_SLOTS = 8
_PROBE = """
mount -t tmpfs tmpfs /run
mkdir lower upper work merged
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
"""


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses of one node; several nodes on a machine differ in `slot`.

    Attributes:
        slot: 0 for the first node of a machine.
    """

    slot: int

    @property
    def interface(self) -> str:
        """The machine's end of the wire to the node."""
        return f"understudy{self.slot}"

    @property
    def pods(self) -> str:
        """Where pods get their addresses from."""
        return f"10.{244 + self.slot}.0.0/24"

    @property
    def services(self) -> str:
        """Where Services get their cluster IPs from."""
        return f"10.{96 + self.slot}.0.0/16"

    @property
    def dns(self) -> str:
        """The cluster IP of the DNS service."""
        return f"10.{96 + self.slot}.0.10"

    @property
    def wire(self) -> str:
        """The network of the two ends of the wire."""
        return f"10.{244 + self.slot}.255.0/30"

    @property
    def machine(self) -> str:
        """The machine's address on the wire: pods reach what listens there."""
        return f"10.{244 + self.slot}.255.1"

    @property
    def node(self) -> str:
        """The node's address on the wire."""
        return f"10.{244 + self.slot}.255.2"


class Namespaces:
    """Namespaces with a network of their own, held open by one process that waits."""

    def __init__(self, folder: Path, *, pause: Path) -> None:
        """Describe them; `start` makes them.

        Args:
            folder: What is `/var/lib`, `/var/log` and so on inside; its name is that of the control groups.
            pause: The program that waits as their first process.
        """
        self._folder = folder
        self.cgroup = folder.name
        self._holder = Process(_unshare_argv(folder, pause), log=folder / "namespaces.log")
        self._first: int | None = None

    def start(self) -> Network:
        """Make the namespaces and connect them to the machine.

        Raises:
            Missing: The machine does not allow it, or has no free network for it.
            NotReady: They did not come up; the message quotes why.
        """
        ready = self._folder / "namespaces.ready"
        _make_cgroups(self.cgroup)
        self._holder.start()
        wait_until(ready.is_file, within_seconds=10, what="the node's namespaces are there", process=self._holder)
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        self._first = int(children.read_text().split()[0])
        return _connect(self._first)

    def argv(self, *command: str) -> list[str]:
        """The command that runs `command` inside."""
        if self._first is None:
            raise NotReady("the node's namespaces are not started")
        return ["nsenter", f"--target={self._first}", "--mount", "--net", "--ipc", "--pid", "--", *command]

    def run(self, *command: str, timeout_seconds: float = 300) -> str:
        """Run a command inside and return its standard output.

        Raises:
            NotReady: It failed; the message is what it wrote to standard error.
        """
        done = subprocess.run(self.argv(*command), capture_output=True, text=True, timeout=timeout_seconds, check=False)
        if done.returncode != 0:
            raise NotReady(f"{shlex.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def close(self) -> None:
        """End every process inside, and with them the namespaces, mounts and interfaces."""
        self._holder.kill()
        remove_cgroups(self._folder)


def why_no_namespaces(parent: Path) -> str | None:
    """What the kernel refuses of that which a node with its data under `parent` needs; nothing, usually."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        command = ["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--mount-proc", "sh", "-ec", _PROBE]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return " ".join(done.stderr.split()) if done.returncode != 0 else None


def remove_cgroups(folder: Path) -> None:
    """Remove the control groups of the namespaces whose folder this is, once their processes are gone."""

    def gone() -> bool:
        for top in _cgroup_folders(folder.name):
            for inner, _, _ in os.walk(top, topdown=False):
                try:
                    Path(inner).rmdir()
                except OSError:  # its last process is still on the way out
                    return False
        return True

    wait_until(gone, within_seconds=10, what=f"the control groups {folder.name} are empty")


def _cgroup_folders(name: str) -> Iterator[Path]:
    """The places of a control group: one in the unified hierarchy, one for each controller in the old one."""
    tops = [_CGROUPS] if (_CGROUPS / "cgroup.controllers").exists() else [*_CGROUPS.iterdir()]
    yield from (top / name for top in tops if not top.is_symlink() and top.is_dir())


def _make_cgroups(name: str) -> None:
    unified = _CGROUPS / "cgroup.subtree_control"
    try:
        if unified.exists():
            controllers = (_CGROUPS / "cgroup.controllers").read_text().split()
            unified.write_text(" ".join(f"+{controller}" for controller in controllers))
        for folder in _cgroup_folders(name):
            folder.mkdir(exist_ok=True)
    except OSError as error:
        raise Missing(f"a node needs control groups that it may write to ({error}): run it as root") from None


def _unshare_argv(folder: Path, pause: Path) -> list[str]:
    script = ["set -e", "mount --make-rshared /", "ip link set lo up", "mount -t tmpfs tmpfs /run"]
    for path in ("var/lib", "var/log"):
        (folder / path).mkdir(parents=True)
        script.append(f"mount --bind {shlex.quote(str(folder / path))} /{path}")
    for name in _SYSCTLS:
        own = folder / "sysctl" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text("0\n")
        script.append(f"mount --bind {shlex.quote(str(own))} /proc/sys/{name}")
    script += [f"touch {shlex.quote(str(folder / 'namespaces.ready'))}", f"exec {shlex.quote(str(pause))}"]
    spaces = ["--mount", "--net", "--ipc", "--pid", "--mount-proc"]
    return ["unshare", *spaces, "--fork", "--kill-child=KILL", "--", "sh", "-c", "\n".join(script)]


def _connect(first: int) -> Network:
    for network in map(Network, range(_SLOTS)):
        wire = ["type", "veth", "peer", "name", "eth0", "netns", str(first)]
        if not _taken(network) and _ip(["link", "add", network.interface, *wire]):
            _route(network, first)
            return network
    raise Missing("a node needs one of the networks 10.244.0.0/16 to 10.251.0.0/16: all are in use here")


def _taken(network: Network) -> bool:
    """Whether the machine has a route (other than the default one) into the network's ranges."""
    said = subprocess.run(["ip", "-json", "route"], capture_output=True, text=True, check=True).stdout
    routes = [ipaddress.ip_network(route["dst"]) for route in json.loads(said) if route["dst"] != "default"]
    ours = [ipaddress.ip_network(text) for text in (network.pods, network.services, network.wire)]
    return any(theirs.overlaps(own) for theirs in routes for own in ours)


def _route(network: Network, first: int) -> None:
    inside = ["nsenter", f"--target={first}", "--net", "--"]
    commands: list[tuple[Sequence[str], list[str]]] = [
        ((), ["address", "add", f"{network.machine}/30", "dev", network.interface]),
        ((), ["link", "set", network.interface, "up"]),
        (inside, ["address", "add", f"{network.node}/30", "dev", "eth0"]),
        (inside, ["link", "set", "eth0", "up"]),
        (inside, ["route", "add", "default", "via", network.machine]),
        ((), ["route", "add", network.pods, "via", network.node]),
        ((), ["route", "add", network.services, "via", network.node]),
    ]
    for prefix, arguments in commands:
        if not _ip(arguments, prefix=prefix):
            raise NotReady(f"ip {' '.join(arguments)} failed; the node has no network")


def _ip(arguments: list[str], *, prefix: Sequence[str] = ()) -> bool:
    return subprocess.run([*prefix, "ip", *arguments], capture_output=True, check=False).returncode == 0
