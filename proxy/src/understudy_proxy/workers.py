"""Several processes on one port: each has its own event loop, and the death of one is not the others' concern.

The supervisor forks them and does nothing else: no event loop, no thread, so that a fork at any time copies a process
at rest. Every worker listens by itself (SO_REUSEPORT), so that the system gives a dead one's share to the others at
once. One more process answers on the admin port for all of them (`together.py`).
"""

import gc
import logging
import os
import random
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from understudy_proxy.config.backoff import Backoff
from understudy_proxy.listening import listen, port_of, reserve
from understudy_proxy.settings import Settings
from understudy_proxy.signals import INTERRUPTED
from understudy_proxy.telemetry.logs import logging_through, to_stderr
from understudy_proxy.telemetry.masking import Masker
from understudy_proxy.together import run_admin

_log = logging.getLogger(__name__)
_STABLE_SECONDS = 10.0
"""A process that lived this long is started again at once; one that dies sooner waits longer each time."""
_LOCAL = "127.0.0.1"
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_GRACE_SECONDS = 5.0
"""Beyond the drain deadline, before what still runs is killed."""

RunWorker = Callable[[socket.socket, socket.socket, int, int | None], int]
"""Serve on a public and an admin socket, held by a leash; gives the exit code. The last is the admin port of the first
worker, which does what only one may do; None for that one itself."""


@dataclass(slots=True)
class _Child:
    """A process that is to run."""

    name: str
    run: Callable[[], int]
    backoff: Backoff = field(default_factory=lambda: Backoff(0.1, 30.0, random.random))
    pid: int | None = None
    started: float = 0.0
    due: float = 0.0
    """When to start it, if it does not run; monotonic seconds."""


def run_workers(settings: Settings, run_worker: RunWorker, *, announce: Callable[[int, int], None]) -> int:
    """Keep `settings.workers` processes serving until told to end; the exit code.

    Args:
        settings: How many, and where.
        run_worker: What each of them does.
        announce: Told the ports for callers and for operators once they are had.

    Raises:
        CannotListen: a port cannot be had.
    """
    leash_end, leash = os.pipe()
    with ExitStack() as stack:
        public = stack.enter_context(reserve(settings.host, settings.port))
        admin = stack.enter_context(reserve(settings.admin_host, settings.admin_port))
        internal = [stack.enter_context(reserve(_LOCAL, 0)) for _ in range(settings.workers)]
        stack.enter_context(logging_through(to_stderr, level=settings.log_level, masker=Masker()))

        def worker(index: int) -> int:
            sock = listen(settings.host, port_of(public), shared=True)
            first = port_of(internal[0]) if index else None
            return run_worker(sock, listen(_LOCAL, port_of(internal[index]), shared=True), leash_end, first)

        def together() -> int:
            sock = listen(settings.admin_host, port_of(admin), shared=True)
            return run_admin(settings, sock, [port_of(reserved) for reserved in internal], leash_end)

        announce(port_of(public), port_of(admin))
        children = [_Child(f"worker {index}", partial(worker, index)) for index in range(settings.workers)]
        _log.info("listening", extra={"port": port_of(public), "admin_port": port_of(admin), "workers": len(children)})
        gc.freeze()  # what the children share stays shared: the collector would write into every object
        return _Supervisor(settings, children, _Child("admin", together), leash).run()


class _Supervisor:
    """Starts children, and starts them again."""

    def __init__(self, settings: Settings, workers: list[_Child], admin: _Child, leash: int) -> None:
        self._workers = workers
        self._admin = admin
        self._leash = leash
        self._drain_seconds = settings.drain_delay_seconds + settings.drain_deadline_seconds + _GRACE_SECONDS
        self._killing_at: float | None = None
        """Set once told to end: when to stop waiting."""

    def run(self) -> int:
        """Until every child has ended after being told to."""
        signals, told = socket.socketpair()
        with signals, told:
            told.setblocking(False)
            signal.set_wakeup_fd(told.fileno())
            for heeded in _HEEDED:
                signal.signal(heeded, _noted)
            while True:
                self._start_due()
                if select.select([signals], [], [], self._patience())[0]:
                    for number in signals.recv(256):
                        self._signaled(number)
                self._reap()
                if self._killing_at is not None and self._all_ended(time.monotonic() >= self._killing_at):
                    return 0

    def _signaled(self, number: int) -> None:
        if number not in {signal.SIGTERM, signal.SIGINT}:
            return
        first = self._killing_at is None
        self._killing_at = time.monotonic() + (self._drain_seconds if first else _GRACE_SECONDS)
        _log.info("ending the workers" if first else "ending the workers at once")
        self._tell(INTERRUPTED if number == signal.SIGINT else signal.SIGTERM)

    def _tell(self, number: int) -> None:
        for child in self._workers:
            if child.pid is not None:
                os.kill(child.pid, number)

    def _all_ended(self, late: bool) -> bool:
        """Whether nothing runs any more; the one that speaks for the workers ends after them."""
        if late:
            self._tell(signal.SIGKILL)
        if any(child.pid is not None for child in self._workers):
            return False
        if self._admin.pid is not None:
            os.kill(self._admin.pid, signal.SIGKILL)  # it holds nothing that anybody waits for
            os.waitpid(self._admin.pid, 0)
        return True

    def _patience(self) -> float | None:
        """Seconds until something is to be done by itself."""
        due = [child.due for child in self._children() if child.pid is None]
        if self._killing_at is not None:
            due = [self._killing_at]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _start_due(self) -> None:
        if self._killing_at is not None:
            return
        now = time.monotonic()
        for child in self._children():
            if child.pid is None and child.due <= now:
                child.started = now
                try:
                    child.pid = self._fork(child)
                except OSError as error:  # no memory, or too many processes: as if it had died at once
                    _log.error("%s cannot be started: %s", child.name, error)
                    child.due = now + child.backoff.next()

    def _reap(self) -> None:
        for child in self._children():
            if child.pid is None:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: _Child, code: int) -> None:
        now = time.monotonic()
        if now - child.started >= _STABLE_SECONDS:
            child.backoff.reset()
        child.due = now + child.backoff.next()
        if self._killing_at is None:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            _log.error("%s ended by itself (%s) and is started again", child.name, how, extra={"pid": child.pid})
        child.pid = None

    def _children(self) -> Iterator[_Child]:
        yield from self._workers
        yield self._admin

    def _fork(self, child: _Child) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            os.close(self._leash)
            signal.set_wakeup_fd(-1)
            for heeded in _HEEDED:
                signal.signal(heeded, signal.SIG_IGN if heeded == signal.SIGINT else signal.SIG_DFL)
            code = child.run()
        except BaseException:  # noqa: BLE001 - the parent's frames are below: nothing may be raised into them
            _log.exception("%s failed", child.name)
        finally:
            os._exit(code)


def _noted(_number: int, _frame: object) -> None:
    """The wake-up descriptor has told already; without a handler the signal would not come at all."""
