"""A proxy process from its start to its end.

It listens, follows its source of configuration, and ends in three steps when it is told to: not ready any more but
serving on while load balancers take note; no new connections while running requests end; gone. A second signal ends it
at once.
"""

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from understudy_proxy.config.source import Source
from understudy_proxy.gateway import Gateway
from understudy_proxy.listening import CannotListen, listen, port_of
from understudy_proxy.loop import run_loop
from understudy_proxy.settings import BadSetting, Settings
from understudy_proxy.signals import Ending, heeded
from understudy_proxy.state.shared import shared_store
from understudy_proxy.telemetry.logs import LogWriter, logging_through, to_stderr
from understudy_proxy.telemetry.masking import Masker
from understudy_proxy.workers import run_workers

_log = logging.getLogger(__name__)
_FIRST_CONFIGURATION_SECONDS = 2.0
"""How long callers are kept waiting at the door of a new process, before they are told that it has nothing to serve. A
worker that takes the place of a dead one must not answer 503 meanwhile: the others on its port have a configuration."""
_SWITCH_SECONDS = 0.001
"""How long a thread that builds a configuration or renders metrics may keep the event loop from its next turn; Python's
own 5 ms is more than a request takes here."""

Announce = Callable[[int, int], None]
"""Told once, in the process that was started, which ports for callers and for operators were had."""


def run(settings: Settings, source: Source, *, announce: Announce | None = None) -> int:
    """Serve until told to end; the exit code. Says in one line why it cannot start."""
    tell = announce or _nobody
    try:
        shared_store(settings)
        if settings.workers > 1:
            return run_workers(settings, partial(run_worker, settings, source), announce=tell)
        public = listen(settings.host, settings.port)
        admin = listen(settings.admin_host, settings.admin_port)
        tell(port_of(public), port_of(admin))
        return run_worker(settings, source, public, admin)
    except (CannotListen, BadSetting) as error:
        sys.stderr.write(f"understudy: {error}\n")
        return 2 if isinstance(error, BadSetting) else 1
    except KeyboardInterrupt:  # before anything listened
        return 130


def _nobody(_port: int, _admin_port: int) -> None:
    """Nobody wants to know."""


def run_worker(
    settings: Settings,
    source: Source,
    public: socket.socket,
    admin: socket.socket,
    leash: int | None = None,
    registry_port: int | None = None,
) -> int:
    """Serve on these sockets until told to end; the exit code.

    Args:
        settings: How.
        source: Where the configuration comes from.
        public: Bound, for callers.
        admin: Bound, for operators.
        leash: A file descriptor that becomes readable when the process that started this one is gone.
        registry_port: Where the worker listens that keeps the mesh's registry; None: this one does.
    """
    masker = Masker()
    with ExitStack() as stack:
        writer = stack.enter_context(LogWriter(to_stderr))
        stack.enter_context(logging_through(writer.put, level=settings.log_level, masker=masker))
        sys.setswitchinterval(_SWITCH_SECONDS)

        # What was imported lives as long as the process: looking through it took 13 ms of each full collection.
        # Before the first configuration, which must remain collectable.
        gc.collect()
        gc.freeze()

        async def serve() -> None:
            gateway = Gateway(settings, source, writer=writer, masker=masker, registry_port=registry_port)
            try:
                await gateway.begin(admin)
                await gateway.configured(within_seconds=_FIRST_CONFIGURATION_SECONDS)
                await gateway.open(public)
                await _until_ended(gateway, settings, leash)
            finally:
                await gateway.close()

        run_loop(serve())
    return 0


async def _until_ended(gateway: Gateway, settings: Settings, leash: int | None) -> None:
    ending = Ending()
    with heeded(ending, leash=leash):
        _log.info("listening", extra={"port": gateway.port, "admin_port": gateway.admin_port})
        await ending.asked.wait()
        await _end(gateway, settings, ending)


async def _end(gateway: Gateway, settings: Settings, ending: Ending) -> None:
    delay = 0.0 if ending.interactive else settings.drain_delay_seconds
    hint = "; interrupt again to end at once" if ending.interactive else ""
    _log.info(
        "ending: running requests may finish%s", hint, extra={"deadline_seconds": settings.drain_deadline_seconds}
    )
    gateway.retire()
    if await ending.within(delay):
        return
    draining = asyncio.create_task(gateway.drain(deadline_seconds=settings.drain_deadline_seconds), name="drain")
    urged = asyncio.create_task(ending.urged.wait(), name="urged")
    await asyncio.wait((draining, urged), return_when=asyncio.FIRST_COMPLETED)
    urged.cancel()
    if draining.done():
        _log.info("ended", extra={"cut": draining.result()})
    else:
        draining.cancel()
        _log.warning("ended at once, as urged")
