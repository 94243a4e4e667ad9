"""Programs that a test run starts, each of which ends with it.

However the run ends, its programs end too: on Linux the kernel kills them when their parent is gone
(``PR_SET_PDEATHSIG``, set by ``setpriv`` so that no Python runs between fork and exec), elsewhere an
exit hook does. Processes are known by their id and group alone, never by name.
"""

import atexit
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TAIL_LINES = 15
POLL_SECONDS = 0.05

# The kernel's "parent" is the thread that forked: were it a short-lived worker of an event loop, its end
# would kill the program. One thread that lives as long as the interpreter starts them all.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="harness-spawner")


class NotReady(Exception):
    """A program ended, or a condition did not come true within its bound."""


class Process:
    """One program with a log file, in a process group of its own.

    It can be stopped and started any number of times; each start appends to the same log.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the program; nothing runs before ``start``.

        Args:
            argv: The program's path and its arguments.
            log: Where standard output and standard error go.
            folder: The working folder; this process' own by default.
            environment: Variables added to this process' own.
        """
        self.argv = tuple(argv)
        self.log = log
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The program's file name, for messages."""
        return self.log.stem

    @property
    def pid(self) -> int:
        """The id of the running process.

        Raises:
            NotReady: It does not run.
        """
        if self._popen is None or self._popen.poll() is not None:
            raise NotReady(f"{self.name} is not running{self.tail()}")
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the program was started and has not ended (a paused one has not)."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the program ended: negative is the number of a signal; None where it has not."""
        return self._popen.poll() if self._popen is not None else None

    def start(self) -> None:
        """Start the program unless it runs."""
        if not self.running:
            self._popen = _SPAWNER.submit(self._spawn).result()
            _STARTED.add(self)

    def _spawn(self) -> subprocess.Popen[bytes]:
        setpriv = shutil.which("setpriv")
        prefix = (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*prefix, *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )

    def stop(self, *, grace_seconds: float = 20.0) -> None:
        """Ask the program to end, wait for it, and kill it where it has not within ``grace_seconds``."""
        self.signal(signal.SIGTERM)
        self.resume()
        try:
            self.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the program at once, as a crash does, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait(10.0)

    def pause(self) -> None:
        """Freeze the program: its sockets stay open and nothing answers."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused program go on."""
        self.signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program's whole group, if it still runs."""
        if self._popen is not None and self._popen.poll() is None:
            os.killpg(self._popen.pid, number)

    def wait(self, within_seconds: float) -> None:
        """Wait until the program has ended.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        if self._popen is not None:
            self._popen.wait(within_seconds)
            _STARTED.discard(self)

    def tail(self) -> str:
        """The end of the log, introduced, as errors quote it."""
        if not self.log.is_file():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return f"; the end of {self.log}:\n" + "\n".join(lines)


_STARTED: set[Process] = set()


@atexit.register
def _kill_all() -> None:
    for process in list(_STARTED):
        process.kill()


def wait_until(
    condition: Callable[[], bool], *, within_seconds: float, what: str, process: Process | None = None
) -> None:
    """Wait until a condition is true.

    Args:
        condition: Asked every 50 ms.
        within_seconds: The bound.
        what: The awaited state, as in "kube-apiserver is ready".
        process: The program it depends on; its early end is an error, and its log explains a failure.

    Raises:
        NotReady: The bound passed or the program ended.
    """
    deadline = time.monotonic() + within_seconds
    while not condition():
        log = process.tail() if process else ""
        if process is not None and not process.running:
            raise NotReady(f"{process.name} ended before: {what}{log}")
        if time.monotonic() > deadline:
            raise NotReady(f"not within {within_seconds:g} s: {what}{log}")
        time.sleep(POLL_SECONDS)
