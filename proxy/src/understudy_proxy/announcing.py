"""The gateway as an agent in somebody else's registry: it comes, says every few seconds that it is there, and leaves.

A registry that is away is nobody's trouble: requests are answered as ever, and the gateway tells of itself again when
the registry is back.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

import aiohttp
import orjson

from understudy_proxy.mesh.agents import Registration
from understudy_proxy.mesh.introducing import introduction

_log = logging.getLogger(__name__)
BEAT_SECONDS = 5.0
"""What registries expect of agents; after 20 seconds of silence one counts as gone."""
_TIMEOUT = aiohttp.ClientTimeout(total=4.0)
_LEAVING = aiohttp.ClientTimeout(total=2.0)
_MAX_ANSWER = 256 * 1024
_AWAY = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""ValueError: a name that is none is an error of its spelling, where it is looked up."""
_TELL_AGAIN = frozenset({202, 404, 410})
"""What a registry answers to a beat when it wants to be told all."""


class NotTaken(Exception):
    """The registry did not take the agent; the message says why."""


class Announcer:
    """Keeps one agent registered."""

    def __init__(self, registry_url: str, agent: Callable[[], Registration], *, every_seconds: float) -> None:
        """Register what `agent` gives with the registry at `registry_url`, and beat `every_seconds`."""
        self._url = registry_url.rstrip("/")
        self._agent = agent
        self._every_seconds = every_seconds
        self._changed = asyncio.Event()
        self._registered: Registration | None = None
        self._trouble = ""
        self._running: asyncio.Task[None] | None = None
        self._leaving = False

    def changed(self) -> None:
        """What the agent offers is another than before, or the first there is: tell of it."""
        self._changed.set()

    def start(self) -> None:
        """Begin, as soon as there is something to tell."""
        self._running = asyncio.create_task(self._run(), name="mesh-registration")

    def leave(self) -> None:
        """Begin to leave the registry."""
        if self._running is not None and not self._leaving:
            self._leaving = True
            self._running.cancel()

    async def stop(self) -> None:
        """Leave the registry, and wait until it is told, for a moment."""
        self.leave()
        if self._running is not None:
            with suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        await self._changed.wait()
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            try:
                while True:
                    await self._once(session)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), self._every_seconds)
            finally:
                await self._leave(session)

    async def _once(self, session: aiohttp.ClientSession) -> None:
        try:
            if self._changed.is_set():
                await self._tell_anew(session)
            elif self._registered is None or await self._beat(session) in _TELL_AGAIN:
                await self._tell(session)
        except (*_AWAY, NotTaken) as error:
            self._note(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        else:
            self._note("")

    async def _tell_anew(self, session: aiohttp.ClientSession) -> None:
        """Tell all, in a way that other agents hear of.

        A registry that is told other functions of an agent that is there does not tell others; it does tell them of
        one who comes.
        """
        self._changed.clear()
        if self._registered is not None:
            await self._leave(session)
        await self._tell(session)

    async def _tell(self, session: aiohttp.ClientSession) -> None:
        agent = self._agent()
        body = introduction(agent, epoch_seconds=time.time())
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{self._url}/heartbeat", data=body, headers=headers) as response:
            said = await response.content.read(_MAX_ANSWER)
            if response.status != 200:
                raise NotTaken(f"it answers {response.status}: {said[:200].decode(errors='replace')}")
        if why := _refused(said):
            raise NotTaken(why)
        if self._registered is None:
            _log.info("registered with a mesh", extra={"agent": agent.id, "functions": len(agent.tools)})
        self._registered = agent

    async def _beat(self, session: aiohttp.ClientSession) -> int:
        assert self._registered is not None  # noqa: S101 - `_once` asks first
        async with session.head(f"{self._url}/heartbeat/{self._registered.id}") as response:
            return response.status

    async def _leave(self, session: aiohttp.ClientSession) -> None:
        """As far as the registry hears of it; if not, it notices by itself before long."""
        told, self._registered = self._registered, None
        if told is not None:
            with suppress(*_AWAY):
                async with session.delete(f"{self._url}/agents/{told.id}", timeout=_LEAVING):
                    pass

    def _note(self, trouble: str) -> None:
        """Say once that it is away, and once that it is back."""
        if bool(trouble) != bool(self._trouble):
            if trouble:
                _log.warning("the mesh's registry cannot be told of this gateway: %s", trouble)
            else:
                _log.info("the mesh's registry knows this gateway again")
        self._trouble = trouble


def _refused(said: bytes) -> str:
    """Why an agent was not taken; empty if it was. Only the beginning is read: registries answer with all partners."""
    try:
        fields = orjson.loads(said)
    except orjson.JSONDecodeError:
        return "" if len(said) == _MAX_ANSWER else "it does not answer as a registry does"
    status = fields.get("status") if isinstance(fields, dict) else None
    return "" if status == "success" else str(fields.get("message") if isinstance(fields, dict) else fields)[:200]
