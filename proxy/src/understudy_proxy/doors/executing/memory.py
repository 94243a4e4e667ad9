"""Keeps rounds that a client does not see until it comes back with the results of its own calls."""

import logging
from collections.abc import Sequence
from contextlib import suppress

from understudy_proxy.dialects.canonical.content import Message
from understudy_proxy.doors.door import Refused
from understudy_proxy.rounds.decide import Functions
from understudy_proxy.rounds.hidden import KEPT_SECONDS, MAX_BYTES, filled, key, places
from understudy_proxy.sessions.record import read_messages, write_messages
from understudy_proxy.state.store import Store

_log = logging.getLogger(__name__)


class RoundMemory:
    """Remembers for a while, in a store that raises `Refused` where it is out of reach: then nothing is remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def recalled(self, messages: Sequence[Message], functions: Functions, *, of: str) -> tuple[Message, ...]:
        """The conversation of a client with what it has not seen."""
        hidden: dict[int, tuple[Message, ...]] = {}
        for place in places(messages, functions, of=of):
            with suppress(Refused):
                stored = await self._store.get(place.key)
                if stored is not None and (read := read_messages(stored)):
                    hidden[place.at] = read
        return filled(messages, hidden)

    async def keep(
        self, messages: Sequence[Message], turns: Sequence[Message], functions: Functions, *, of: str
    ) -> None:
        """Keep `turns`, which follow `messages`, where the client sees only the last of them and answers its calls."""
        under = key(messages, turns[-1], functions, of=of) if len(turns) > 1 else None
        if under is None:
            return
        written = write_messages(turns)
        if len(written) > MAX_BYTES:
            _log.warning("rounds of tools are too large to be remembered: the model may call those tools again")
            return
        with suppress(Refused):
            await self._store.put(under, written, ttl_seconds=KEPT_SECONDS)
