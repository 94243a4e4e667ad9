"""The admin port of several workers: their numbers as one, and their revision once all of them have it.

A process of its own, because the supervisor must stay free of event loops and a worker must not speak for the others.
"""

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import aiohttp
import orjson

from understudy_proxy.doors.admin import admin_errors, closed_to_tools, healthz, json_answer, scrape
from understudy_proxy.doors.door import Answer, Refused, Request, Route
from understudy_proxy.loop import run_loop
from understudy_proxy.server import Server
from understudy_proxy.settings import Settings
from understudy_proxy.signals import Ending, heeded
from understudy_proxy.telemetry.logs import LogWriter, logging_through, to_stderr
from understudy_proxy.telemetry.masking import Masker
from understudy_proxy.telemetry.merge import Departed, from_wire, merge

_log = logging.getLogger(__name__)
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
"""A worker answers within milliseconds, or is not well."""


def run_admin(settings: Settings, sock: socket.socket, ports: Sequence[int], leash: int) -> int:
    """Answer on `sock` for the workers whose own admin ports are `ports`, until told to end; the exit code."""
    masker = Masker()
    with ExitStack() as stack:
        writer = stack.enter_context(LogWriter(to_stderr))
        stack.enter_context(logging_through(writer.put, level=settings.log_level, masker=masker))

        async def serve() -> None:
            ending = Ending()
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                server = Server(closed_to_tools(TogetherDoors(session, ports).routes()), errors=admin_errors)
                await server.start(sock)
                with heeded(ending, leash=leash):
                    await ending.asked.wait()
                await server.close()

        run_loop(serve())
    return 0


class TogetherDoors:
    """The doors that speak for all workers."""

    def __init__(self, session: aiohttp.ClientSession, ports: Sequence[int]) -> None:
        """Ask the workers at these local ports."""
        self._session = session
        self._workers = [f"http://127.0.0.1:{port}" for port in ports]
        self._departed = Departed()

    def routes(self) -> tuple[Route, ...]:
        """Where they are asked."""
        return (
            Route("/metrics", {"GET": self.metrics}, admin_errors),
            Route("/config", {"GET": self.config}, admin_errors),
            Route("/explain", {"GET": self.explain, "POST": self.explain}, admin_errors),
            Route("/healthz", {"GET": healthz}, admin_errors),
        )

    async def metrics(self, request: Request) -> Answer:
        """The workers' numbers as one; what dead ones had counted stays in the sums."""
        parts = []
        for worker, answer in enumerate(await self._from_all("/samples")):
            if answer is None:
                parts.append(self._departed.missed(worker))
                continue
            samples = from_wire(answer["samples"])
            self._departed.seen(worker, str(answer["process"]), samples)
            parts.append(samples)
        return await scrape(request, merge((*parts, self._departed.samples)))

    async def config(self, request: Request) -> Answer:
        """What all of them serve; no revision while they differ, or while one does not answer."""
        target = f"/config?{request.query}" if request.query else "/config"
        return json_answer(agreed(await self._from_all(target)))

    async def explain(self, request: Request) -> Answer:
        """The answer of any of them; each has its own view of the endpoints' health."""
        body = await request.body() if request.method == "POST" else None
        for worker in self._workers:
            try:
                url = f"{worker}/explain?{request.query}"
                async with self._session.request(request.method, url, data=body) as response:
                    return Answer(response.status, await response.read())
            except (aiohttp.ClientError, TimeoutError):
                continue
        raise Refused(503, "No worker answers; look at the log for why.")

    async def _from_all(self, target: str) -> list[dict[str, Any] | None]:
        return await asyncio.gather(*(self._from(worker, target) for worker in self._workers))

    async def _from(self, worker: str, target: str) -> dict[str, Any] | None:
        try:
            async with self._session.get(f"{worker}{target}") as response:
                answer: dict[str, Any] = orjson.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            _log.debug("a worker does not answer: %s", type(error).__name__)
            return None
        return answer if response.status == 200 else None


def agreed(answers: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    """One answer of `/config` from those of all workers; None is one that did not answer."""
    given = [answer for answer in answers if answer is not None]
    revisions = {answer["revision"] for answer in given}
    revision = revisions.pop() if len(given) == len(answers) and len(revisions) == 1 else None
    first = given[0] if given else {"source": None, "state": {}}
    return {
        **first,
        "revision": revision,
        "loadedAt": max(answer["loadedAt"] for answer in given) if revision is not None else None,
        "rejected": next((answer["rejected"] for answer in given if answer["rejected"]), None),
        "workers": [answer["revision"] if answer else None for answer in answers],
    }
