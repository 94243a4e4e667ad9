"""A cluster for a person: ``python -m harness.cluster up``, then ``status``, then ``down``.

``up`` leaves a cluster running with Understudy's charts in it, held by a process of its own; ``down`` ends
that process, and everything ends with it. One at a time for each user.
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.cache import cache_folder, say
from harness.chart import REPOSITORY, install_chart
from harness.clusters import Cluster, new_cluster
from harness.helm import HelmError
from harness.images import BuildError
from harness.kubectl import KubectlError
from harness.missing import Missing
from harness.process import NotReady, wait_until

_UP_SECONDS = 45 * 60.0
_DOWN_SECONDS = 90.0
_EXPECTED = (Missing, NotReady, HelmError, KubectlError, BuildError)


@dataclass(frozen=True, slots=True)
class State:
    """What a person needs to know of the running cluster."""

    kubeconfig: str
    gateway: str

    def report(self) -> str:
        """Commands to copy."""
        return "\n".join((f"export KUBECONFIG={self.kubeconfig}", self.gateway, "make cluster-down   # ends all of it"))


def main(arguments: list[str]) -> int:
    """Run one of the commands and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m harness.cluster", description=(__doc__ or "").split("\n", 1)[0])
    commands = {"up": up, "down": down, "status": status, "hold": hold}
    parser.add_argument("command", choices=[*commands], metavar="up|down|status")
    folder = cache_folder() / "cluster"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return commands[parser.parse_args(arguments).command](folder)
    except _EXPECTED as error:
        say(f"{'missing: ' if isinstance(error, Missing) else ''}{error}")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def up(folder: Path) -> int:
    """Start a cluster that outlives this command, and say how to reach it."""
    if _held(folder):
        return status(folder)
    log = _log_file(folder)
    with log.open("wb") as written:
        holder = subprocess.Popen(
            [sys.executable, "-m", "harness.cluster", "hold"],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _follow(log, holder, _state_file(folder))
    except BaseException:
        holder.terminate()
        holder.wait(_DOWN_SECONDS)
        raise
    if holder.poll() is not None:
        say("the cluster ended before it was ready")
        return 1
    return status(folder)


def down(folder: Path) -> int:
    """End the running cluster, if there is one."""
    if not _held(folder):
        say("no cluster is running")
        return 0
    os.kill(int(_pid_file(folder).read_text()), signal.SIGTERM)
    wait_until(lambda: not _held(folder), within_seconds=_DOWN_SECONDS, what="the cluster is gone")
    say("the cluster is gone")
    return 0


def status(folder: Path) -> int:
    """Say how to reach the running cluster."""
    if not _held(folder):
        say("no cluster is running: make cluster")
        return 1
    state = _read_state(folder)
    if state is None:
        say(f"the cluster is still starting; see {_log_file(folder)}")
        return 1
    print(state.report())  # noqa: T201 - the command's result
    return 0


def hold(folder: Path) -> int:
    """Run a cluster until told to end; `up` starts this in the background."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _hold(folder), new_cluster() as cluster:
        say("the cluster is ready")
        kubeconfig = shutil.copy(cluster.kubeconfig, folder / "kubeconfig")
        gateway = _install(cluster)
        state = State(str(kubeconfig), gateway)
        partial = folder / "state.partial"
        partial.write_text(json.dumps(asdict(state)))
        partial.replace(_state_file(folder))
        try:
            signal.pause()
        finally:
            _state_file(folder).unlink()
    return 0


def _install(cluster: Cluster) -> str:
    """Install the charts and say where the gateway is."""
    if not (REPOSITORY / "charts" / "understudy" / "Chart.yaml").is_file():
        return "# there is no chart to install"
    try:
        release = install_chart(cluster)
    except (HelmError, BuildError) as error:
        say(str(error))
        return "# Understudy is not installed: see above, or the log beside the kubeconfig"
    service = cluster.kubectl.get("service", release.name, f"--namespace={release.namespace}")
    port = service["spec"]["ports"][0]["port"]
    return (
        f"# in the cluster: http://{release.name}.{release.namespace}:{port}/v1; on this machine, after"
        f"\nkubectl --namespace {release.namespace} port-forward service/{release.name} 8080:{port}"
        "\n# http://127.0.0.1:8080/v1"
    )


def _follow(log: Path, holder: subprocess.Popen[bytes], ready: Path) -> None:
    """Show what the holder says until it is ready or has ended."""
    deadline = time.monotonic() + _UP_SECONDS
    with log.open() as lines:
        while True:
            done = ready.exists() or holder.poll() is not None
            sys.stderr.write(lines.read())
            sys.stderr.flush()
            if done:
                return
            if time.monotonic() > deadline:
                raise NotReady(f"no cluster within {_UP_SECONDS / 60:g} min; see {log}")
            time.sleep(0.2)


def _state_file(folder: Path) -> Path:
    return folder / "state.json"


def _pid_file(folder: Path) -> Path:
    return folder / "pid"


def _log_file(folder: Path) -> Path:
    return folder / "cluster.log"


def _read_state(folder: Path) -> State | None:
    try:
        return State(**json.loads(_state_file(folder).read_text()))
    except FileNotFoundError:
        return None


@contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Be the one who holds a cluster; a state file left by one who was killed means nothing."""
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReady("a cluster is running or starting already") from None
        _state_file(folder).unlink(missing_ok=True)
        _pid_file(folder).write_text(str(os.getpid()))
        yield


def _held(folder: Path) -> bool:
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
