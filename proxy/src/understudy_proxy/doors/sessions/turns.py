"""Turns of sessions: a request that names one is asked with the conversation before it, and its answer is kept.

A turn is kept when its answer is whole, and before the client has the end of it, so that whoever has seen the end finds
it in the next turn. A turn that fails, or whose client leaves, has not been.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any

from understudy_api.config import SessionPolicy
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message
from understudy_proxy.dialects.canonical.events import Ended, Event
from understudy_proxy.dialects.fields import invalid, wrong_type
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.asking import Answered, Asking, Saying
from understudy_proxy.doors.door import Headers, Refused, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.refusing import bad_request
from understudy_proxy.doors.sessions.holding import Holding
from understudy_proxy.doors.sessions.shelf import Found, Shelf
from understudy_proxy.exchange.course import Course
from understudy_proxy.sessions.record import MAX_TURN_BYTES, TooLarge, size_of
from understudy_proxy.sessions.session import FIELD, asked, sent
from understudy_proxy.state.store import Store
from understudy_proxy.telemetry.metrics import Metrics

HEADER = "x-session-id"
_USUAL = SessionPolicy()
_log = logging.getLogger(__name__)


class Sessions:
    """The part of sessions in a door's work."""

    def __init__(self, store: Store, names: Names, metrics: Metrics) -> None:
        """Keep sessions in `store`; count in `metrics` who is turned away."""
        self.shelf = Shelf(store, names)
        self._holding = Holding(store)
        self._names = names
        self._metrics = metrics

    def named(self, request: Request, given: Any) -> str | None:
        """The session that a request is a turn of: `given` in its body, or in its header.

        Raises:
            Refused: it is none that can be.
        """
        header = request.headers.get(HEADER)
        if given is not None and type(given) is not str:
            raise bad_request(wrong_type(FIELD, "a string", given))
        if given and header and given != header:
            raise bad_request(invalid(FIELD, f"the header {HEADER} names another session: name one."))
        return given or header or None

    def policy(self, request: Request, model: str) -> SessionPolicy:
        """How whoever answers under the name `model` has its sessions kept."""
        try:
            return self._names.target(self._names.runtime(), model, namespace=self._names.namespace(request)).session
        except Refused:
            return _USUAL  # what is wrong with the name is told when it is asked

    @asynccontextmanager
    async def asking(
        self, request: Request, session_id: str | None, policy: SessionPolicy, *, by: Asking
    ) -> AsyncIterator["Asking | TurnAsking"]:
        """What asks for the answer to a turn: `by` itself where no session is named.

        Raises:
            Refused: the session is not there, or busy for too long.
        """
        if session_id is None:
            yield by
            return
        async with AsyncExitStack() as held:
            try:
                found = await self.shelf.find(request, session_id)
                ttl_seconds = found.session.under(policy).ttl_seconds
                await held.enter_async_context(self._holding.hold(found.key, ttl_seconds=ttl_seconds))
                # As it is now that the turns before are over.
                found = await self.shelf.look(request, session_id)
            except Refused as refused:
                self._metrics.refused(refused.reason)
                raise
            yield TurnAsking(by, self.shelf, found, policy)


class TurnAsking:
    """Asks for the answer to one turn, and keeps both."""

    def __init__(self, asking: Asking, shelf: Shelf, found: Found, policy: SessionPolicy) -> None:
        self._asking = asking
        self._shelf = shelf
        self._found = found
        self._policy = policy

    async def complete(self, request: Request, chat: Chat, *, operation: str = "chat") -> Answered:
        """As `Asking.complete`, with the conversation before `chat`."""
        whole = self._whole(chat)
        answered = await self._asking.complete(request, sent(whole, self._policy), operation=operation)
        await self._keep(whole, answered.messages)
        return answered

    @asynccontextmanager
    async def stream(self, request: Request, chat: Chat, *, operation: str = "chat") -> AsyncIterator[Saying]:
        """As `Asking.stream`, with the conversation before `chat`."""
        whole = self._whole(chat)
        async with self._asking.stream(request, sent(whole, self._policy), operation=operation) as saying:
            yield _TurnSaying(saying, partial(self._keep, whole))

    def _whole(self, chat: Chat) -> Chat:
        """The conversation in which `chat` comes last.

        Raises:
            Refused: it cannot be a turn.
        """
        try:
            if chat.choices != 1:
                raise invalid("n", f"a session goes on with one answer, but {chat.choices} were asked for.")
            whole = asked(self._found.session, chat)
        except RequestError as error:
            raise bad_request(error) from error
        if size_of(whole.messages[whole.kept :]) > MAX_TURN_BYTES:
            raise _too_large()
        return whole

    async def _keep(self, whole: Chat, said: tuple[Message, ...]) -> None:
        """Keep a conversation, and what was answered."""
        session = self._found.session.under(self._policy).with_turn(whole, said)
        try:
            if not await self._shelf.change(self._found, session):
                _log.info("a turn is not kept: its session was deleted or forgotten meanwhile")
        except TooLarge:
            _log.warning("a turn is not kept: what its tools returned is more than a session holds")


class _TurnSaying:
    """An answer as it comes, kept when all of it is there."""

    def __init__(self, saying: Saying, keep: Callable[[tuple[Message, ...]], Awaitable[None]]) -> None:
        self._saying = saying
        self._keep = keep
        self.target = saying.target

    @property
    def course(self) -> Course:
        """Of the last model that was asked."""
        return self._saying.course

    @property
    def usage(self) -> Usage | None:
        """The tokens that it took so far."""
        return self._saying.usage

    @property
    def cost(self) -> Decimal | None:
        """In US dollars so far."""
        return self._saying.cost

    @property
    def tool_calls(self) -> int | None:
        """How many calls of tools the gateway has run so far."""
        return self._saying.tool_calls

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the session holds of it."""
        return self._saying.messages

    @property
    def headers(self) -> Headers:
        """Which route it is, who answers, and why not the first choice."""
        return self._saying.headers

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events; the last one comes when the turn is kept."""
        async for event in self._saying:
            if isinstance(event, Ended):
                await self._keep(self._saying.messages)
            yield event


def _too_large() -> Refused:
    return Refused(
        413,
        f"What this turn adds to its session is larger than {MAX_TURN_BYTES} bytes: a session keeps no more of one. "
        "Send such a request without a session.",
        type="invalid_request_error",
        code="turn_too_large",
        param="messages",
        reason="turn_too_large",
    )
