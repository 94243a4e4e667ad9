"""A conversation that the gateway remembers, for code that waits."""

from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from types import TracebackType
from typing import Any, Literal, Self, Unpack, overload

from understudy.client._errors import SessionNotFound, UnderstudyError
from understudy.client._requests import ChatOptions, Messages, chat_call
from understudy.client._results import ChatResult, chat_result
from understudy.client._sessions import (
    SessionState,
    check_is_new,
    create_call,
    delete_call,
    in_session,
    session_state,
    show_call,
)
from understudy.client._sync_connection import Connection
from understudy.client._sync_running import run_loop
from understudy.client._sync_stream import ChatStream
from understudy.client._tool_loop import MAX_ROUNDS, ToolLoop, ToolRun


class Session:
    """A conversation that the gateway remembers: each turn says only what is new. Made by `Client.session`.

    It begins with its block, or with its first turn. The block deletes what has begun in it, unless it is to be kept.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        model: str,
        session_id: str | None,
        ttl: float | None,
        context: Mapping[str, Any] | None,
        keep: bool,
    ) -> None:
        """Over the connection of a client."""
        check_is_new(session_id, ttl=ttl, context=context)
        self._connection = connection
        self._model = model
        self._id = session_id
        self._ttl = ttl
        self._context = context
        self._beginning = Lock()
        self._deletes = session_id is None and not keep

    @property
    def id(self) -> str:
        """To reopen it by; it begins now, if it has not.

        Raises:
            UnderstudyError: the gateway makes none.
        """
        with self._beginning:
            if self._id is None:
                call = create_call(ttl=self._ttl, context=self._context)
                self._id = session_state(self._connection.answer(call)[0]).id
            return self._id

    @overload
    def chat(
        self, messages: Messages, *, model: str | None = None, stream: Literal[False] = False,
        **options: Unpack[ChatOptions],
    ) -> ChatResult: ...  # fmt: skip

    @overload
    def chat(
        self, messages: Messages, *, model: str | None = None, stream: Literal[True], **options: Unpack[ChatOptions]
    ) -> ChatStream: ...

    @overload
    def chat(
        self, messages: Messages, *, model: str | None = None, stream: bool, **options: Unpack[ChatOptions]
    ) -> ChatResult | ChatStream: ...

    def chat(
        self, messages: Messages, *, model: str | None = None, stream: bool = False, **options: Unpack[ChatOptions]
    ) -> ChatResult | ChatStream:
        """Say what is new, and get the answer to all of it. A stream is remembered once it is whole.

        Raises:
            SessionNotFound: it has expired, or was deleted.
            SessionBusy: another turn of it is under way.
            UnderstudyError: as `Client.chat`; then nothing of the turn is remembered.
        """
        call = in_session(chat_call(model or self._model, messages, options, stream=stream), self.id)
        return self._connection.stream(call) if stream else chat_result(*self._connection.answer(call))

    def run(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        max_rounds: int = MAX_ROUNDS,
        **options: Unpack[ChatOptions],
    ) -> ToolRun:
        """As `Client.run`, with what was said before.

        Raises:
            TooManyRounds: the model was asked `max_rounds` times, and still calls.
            TypeError: a tool is no function, or one that must be awaited.
            UnderstudyError: as `chat`.
        """
        loop = ToolLoop(messages, options, max_rounds=max_rounds)
        return run_loop(loop, lambda: self.chat(loop.unsaid, model=model, **loop.options))

    def state(self) -> SessionState:
        """What the gateway knows of it, all messages included.

        Raises:
            SessionNotFound: it has expired, or was deleted.
            UnderstudyError: as `chat`.
        """
        return session_state(self._connection.answer(show_call(self.id))[0])

    def delete(self) -> None:
        """Have the gateway forget it; once it has, that is no error.

        Raises:
            UnderstudyError: it cannot be told to.
        """
        if self._id is not None:
            with suppress(SessionNotFound):
                self._connection.answer(delete_call(self._id))

    def __enter__(self) -> Self:
        _ = self.id
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._deletes:
            with suppress(UnderstudyError):  # it expires; the block's own end is what counts
                self.delete()

    def __repr__(self) -> str:
        return f"Session({self._id or 'not begun'})"
