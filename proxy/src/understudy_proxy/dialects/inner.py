"""The gateway's own voice: doors that have a conversation in canonical form, and want the answer in it.

It goes the way of every other request, translated for whoever is asked; only its bytes mean nothing. What was
understood of an answer is put down in the request itself, and taken from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from understudy_api.config import Capability
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Audio, Image
from understudy_proxy.dialects.canonical.estimate import beside_messages, of_message
from understudy_proxy.dialects.canonical.events import Event
from understudy_proxy.dialects.canonical.trimming import least
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.failure import UpstreamFailure
from understudy_proxy.routing.need import Need

_UNDERSTOOD = b"."
"""Stands for what was put down; never sent."""


@dataclass(slots=True)
class Understood:
    """What came back."""

    answer: Answer | None = None
    """Of a request without a stream."""
    events: list[Event] = field(default_factory=list)
    """Of a stream; whoever reads them takes them out."""

    def take(self) -> list[Event]:
        """The events since the last time."""
        events, self.events = self.events, []
        return events


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class InnerRequest(Asked):
    """A conversation of the gateway's own."""

    chat: Chat
    understood: Understood = field(default_factory=Understood, repr=False)


class _Encoder:
    """Puts events down."""

    def __init__(self, asked: InnerRequest) -> None:
        self._understood = asked.understood

    def encode(self, events: Sequence[Event]) -> bytes:
        """Something, wherever there was something."""
        self._understood.events += events
        return _UNDERSTOOD if events else b""

    def failed(self, failure: UpstreamFailure) -> bytes:  # noqa: ARG002 - whoever reads the stream is told by an exception
        """Nothing."""
        return b""


def _put_down(answer: Answer, asked: InnerRequest) -> bytes:
    asked.understood.answer = answer
    return _UNDERSTOOD


CLIENT: ChatClient[InnerRequest] = ChatClient(
    stream_type="", chat=lambda asked: asked.chat, answer=_put_down, encoder=_Encoder, passing={}
)


def inner_request(chat: Chat) -> InnerRequest:
    """`chat`, ready to be asked."""
    return InnerRequest(body={}, model=chat.model, need=need_of(chat), stream=chat.stream, chat=chat)


def need_of(chat: Chat) -> Need:
    """What an answer to `chat` takes. The tokens are an estimate, as everywhere."""
    capabilities = {Capability.CHAT}
    if chat.stream:
        capabilities.add(Capability.STREAMING)
    if chat.tools:
        capabilities.add(Capability.TOOLS)
    if chat.format is not None and chat.format.schema is not None:
        capabilities.add(Capability.JSON_SCHEMA)
    parts = [part for message in chat.messages for part in message.parts]
    if any(isinstance(part, Image) for part in parts):
        capabilities.add(Capability.VISION)
    if any(isinstance(part, Audio) for part in parts):
        capabilities.add(Capability.AUDIO)
    return Need(
        capabilities=frozenset(capabilities),
        input_tokens=_tokens(chat),
        stream=chat.stream,
        max_output_tokens=chat.max_tokens,
        least_input_tokens=_tokens(least(chat)) if chat.kept else None,
    )


def _tokens(chat: Chat) -> int:
    return beside_messages(chat) + sum(of_message(message) for message in chat.messages)
