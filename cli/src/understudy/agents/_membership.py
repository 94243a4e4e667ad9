"""An agent among those that a registry knows: joining, being asked for, and leaving.

A registry that is away is waited for: the agent serves meanwhile, and joins once it is back.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote

from understudy.client import UnderstudyError
from understudy.client._async_connection import AsyncConnection
from understudy.client._requests import Call

HEARTBEAT_SECONDS = 5.0
"""A registry takes whoever was silent for 20 s for gone."""
BACK_OFF_SECONDS = 30.0
ASK_SECONDS = 5.0

_log = logging.getLogger("understudy.agents")


class Membership:
    """One agent at one registry."""

    def __init__(self, connection: AsyncConnection, registration: Mapping[str, Any]) -> None:
        """Tell `registration` to the registry that `connection` is to."""
        self._connection = connection
        self._registration = registration
        self._path = quote(registration["agent_id"], safe="")
        self._trouble: str | None = None
        self.is_registered = False

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Be a member for as long as the block lasts; it begins once the registry was told, whatever it said."""
        await self.join()
        staying = asyncio.create_task(self.stay(), name=f"heartbeat-{self._path}")
        try:
            yield
        finally:
            staying.cancel()
            await asyncio.wait({staying})
            await self.leave()

    async def join(self) -> None:
        """Register, or register anew; whether that worked is in `is_registered`."""
        try:
            said, _ = await self._connection.once(Call("POST", "/heartbeat", self._registration), silence=ASK_SECONDS)
        except UnderstudyError as error:
            self._refused(str(error))
            return
        if not isinstance(said, dict) or said.get("status") != "success":
            self._refused(str(said.get("message", "without a word")) if isinstance(said, dict) else "it is no registry")
            return
        if not self.is_registered:
            where = self._connection.settings.url
            _log.info("agent %s is registered at %s", self._registration["agent_id"], where)
        self.is_registered, self._trouble = True, None

    async def stay(self) -> None:
        """Be there, until cancelled."""
        pause = HEARTBEAT_SECONDS
        while True:
            await self._connection.clock.sleep_async(pause)
            status = await self._status() if self.is_registered else 410
            pause = BACK_OFF_SECONDS if status == 503 else HEARTBEAT_SECONDS
            if status not in {200, 503, None}:
                await self.join()

    async def leave(self) -> None:
        """Say that nobody should be sent here any more; a registry that is away will see it by itself."""
        if not self.is_registered:
            return
        self.is_registered = False
        try:
            call = Call("DELETE", f"/agents/{self._path}")
            async with aclosing(await self._connection.send(call, silence=ASK_SECONDS)):
                _log.info("agent %s has left", self._registration["agent_id"])
        except UnderstudyError as error:
            _log.warning("agent %s could not say that it leaves: %s", self._registration["agent_id"], error)

    async def _status(self) -> int | None:
        """What a heartbeat is answered; None where nobody answers."""
        try:
            call = Call("HEAD", f"/heartbeat/{self._path}")
            async with aclosing(await self._connection.send(call, silence=ASK_SECONDS)) as response:
                return response.status_code
        except UnderstudyError as error:
            self._say(str(error))
            return None

    def _refused(self, why: str) -> None:
        self.is_registered = False
        self._say(why)

    def _say(self, why: str) -> None:
        """Once for each trouble, not once for each heartbeat."""
        if why != self._trouble:
            self._trouble = why
            _log.warning("agent %s cannot register: %s", self._registration["agent_id"], why)
