"""Chats that the gateway takes part in, whatever dialect their client speaks.

Most requests go straight from their door to the exchange. Where the gateway has a part of its own in the conversation
(it runs the persona's tools, it remembers what was said before), the request is read into its canonical form, `Asking`
puts it to the models, and the answer is told in the client's own words.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.events import Ended, Event
from understudy_proxy.dialects.client import ChatClient, Encoder
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.doors.asking import Asking, Saying
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.refusing import bad_request
from understudy_proxy.doors.sessions.turns import Sessions, TurnAsking
from understudy_proxy.doors.telling import tell
from understudy_proxy.failure import UpstreamFailure
from understudy_proxy.sessions.session import FIELD

Complete = Callable[[], Awaitable[None]]
"""To be called when the answer is whole, before the client has all of it."""


class Conducting:
    """Takes part in the chats of one dialect's clients."""

    def __init__(self, client: ChatClient[Any], asking: Asking, sessions: Sessions) -> None:
        """Read requests and tell answers as `client` does, ask by `asking`, and remember in `sessions`."""
        self._client = client
        self._asking = asking
        self._sessions = sessions

    def takes(self, request: Request, asked: Asked, target: RuntimeTarget) -> bool:
        """Whether the gateway has a part in what is asked of `target`.

        Raises:
            Refused: the session that it names can be none.
        """
        return target.executes or self._session(request, asked) is not None

    async def answer(self, request: Request, asked: Asked, target: RuntimeTarget, complete: Complete) -> Answer | None:
        """The answer to `asked`; None when it has been streamed."""
        session_id = self._session(request, asked)
        asked = replace(asked, goes_on=session_id is not None)
        chat = self._chat(asked)
        async with self._sessions.asking(request, session_id, target.session, by=self._asking) as asking:
            return await self._answer(request, asked, chat, by=asking, complete=complete)

    def _session(self, request: Request, asked: Asked) -> str | None:
        return self._sessions.named(request, asked.body.get(FIELD))

    async def _answer(
        self, request: Request, asked: Asked, chat: Chat, *, by: Asking | TurnAsking, complete: Complete
    ) -> Answer | None:
        if chat.stream:
            voice = _ClientVoice(self._client.stream_type, self._client.encoder(asked), complete)
            await tell(request, by.stream(request, chat), voice)
            return None
        answered = await by.complete(request, chat)
        body = self._client.answer(answered.said, asked)
        await complete()
        return Answer(body=body, headers=answered.headers)

    def _chat(self, asked: Asked) -> Chat:
        try:
            return self._client.chat(asked)
        except RequestError as error:
            raise bad_request(error) from error
        except Unsupported as error:
            raise Refused(
                400,
                f"{error.message} Such a request can be no turn of a session, nor be put to a persona whose tools the "
                "gateway runs.",
                type="invalid_request_error",
                code="unsupported_parameter",
                param=error.param,
                reason="unsupported",
            ) from error


class _ClientVoice:
    """A dialect's own stream."""

    def __init__(self, content_type: str, encoder: Encoder, complete: Complete) -> None:
        self.content_type = content_type
        self._encoder = encoder
        self._complete = complete

    async def say(self, event: Event) -> bytes:
        """The event in the dialect's words; its end is said when everything is kept."""
        said = self._encoder.encode((event,))
        if isinstance(event, Ended):
            await self._complete()
        return said

    def end(self, saying: Saying) -> bytes:  # noqa: ARG002 - the stream's end comes with its last event
        """Nothing more."""
        return b""

    def cut(self, refused: Refused, failure: UpstreamFailure) -> bytes:  # noqa: ARG002 - the dialect has its own words
        """The dialect's own way of saying it."""
        return self._encoder.failed(failure)
