"""An interrupted stream, gone on with by another backend, as one stream to the client.

The next backend gets the conversation with what was already said as the beginning of the assistant's turn, and
continues it: so only models that do so (capability `Prefill`) are asked, and only for text. A tool call is never gone
on with: half of its arguments is nothing that another model could complete.
"""

from dataclasses import replace
from typing import Any

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.canonical.events import (
    SAYS,
    Began,
    Counted,
    Event,
    Resumed,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
)
from understudy_proxy.dialects.client import ChatClient, Encoder
from understudy_proxy.dialects.interpretation import Asked, Call, Fed
from understudy_proxy.dialects.provider import ChatTurn, Decoder
from understudy_proxy.dialects.translated import TranslatedChat, TranslatedFlow
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.routing.need import BYTES_PER_TOKEN

_HARMLESS = (TextDelta, ThinkingDelta, ThinkingSigned, ThinkingRedacted)
"""What may have been said when another backend goes on: reasoning is done with, and not part of the answer."""


class ResumableChat(TranslatedChat):
    """One request, translated so that its stream can be gone on with."""

    __slots__ = ("_call", "_flow")

    def __init__(self, asked: Asked, client: ChatClient[Any], turn: ChatTurn, *, flow: "Resuming", call: Call) -> None:
        super().__init__(asked, client, turn)
        self._flow = flow
        self._call = call

    @property
    def call(self) -> Call:
        """What to send: as the client sent it, where both speak the same dialect."""
        return self._call

    def flow(self) -> "Resuming":
        """The reader of a stream that answers it."""
        return self._flow


class Resuming(TranslatedFlow):
    """One backend's part of a stream."""

    __slots__ = ("_counted", "_input_tokens", "_own_bytes", "_pieces", "_trims", "before", "encoder", "resumable")

    def __init__(
        self, decoder: Decoder, encoder: Encoder, *, input_tokens: int, said: str = "", before: Usage | None = None
    ) -> None:
        """Make a part of a stream.

        Args:
            decoder: Of the backend's stream.
            encoder: Of the client's, shared by all parts.
            input_tokens: An estimate, for a backend that breaks off before it has counted.
            said: The text of the parts before.
            before: What they cost.
        """
        super().__init__(decoder, encoder)
        self.encoder = encoder
        self.resumable = True
        """What was said so far is text and nothing else."""
        self._pieces = [said] if said else []
        self.before = before
        self.usage = before
        self._input_tokens = input_tokens
        self._own_bytes = 0
        self._counted: Usage | None = None
        # A model that is given text without the space at its end begins with that space.
        self._trims = said[-1:].isspace()

    @property
    def said(self) -> str:
        """The text so far, of all parts."""
        return "".join(self._pieces)

    def go_on(self, decoder: Decoder, *, by: str) -> "Resuming":
        """The next part, said by the candidate `by`."""
        part = Resuming(decoder, self.encoder, input_tokens=self._input_tokens, said=self.said, before=self._spent())
        part.announce(Resumed(by))
        return part

    def announce(self, event: Event) -> None:
        """Say this before all else."""
        self._held.append(event)

    def continued(self, chat: Chat) -> Chat:
        """The conversation that asks for the rest. Reasoning goes: no vendor takes it with an answer that has begun."""
        said = self.said
        if not said:
            return chat
        return replace(chat, messages=(*chat.messages, Message(Role.ASSISTANT, (Text(said),))), reasoning=None)

    def _take(self, events: list[Event]) -> Fed:
        return super()._take([own for event in events if (own := self._noted(event)) is not None])

    def _noted(self, event: Event) -> Event | None:
        match event:
            case Began() if self.before is not None:
                return None  # the client's stream has begun long ago
            case TextDelta():
                return self._spoken(event)
            case Counted():
                self._counted = event.usage
                return Counted(event.usage if self.before is None else self.before + event.usage)
        if isinstance(event, SAYS) and not isinstance(event, _HARMLESS):
            self.resumable = False
        return event

    def _spoken(self, event: TextDelta) -> TextDelta | None:
        if event.choice:
            self.resumable = False
        if self._trims:
            event = replace(event, text=event.text.lstrip())
            if not event.text:
                return None
            self._trims = False
        self._pieces.append(event.text)
        self._own_bytes += len(event.text.encode())
        return event

    def _spent(self) -> Usage:
        """What this part and those before it cost; an estimate where the backend broke off before it had counted."""
        counted = self._counted or Usage(input=self._input_tokens, output=0)
        own = replace(counted, output=max(counted.output, self._own_bytes // BYTES_PER_TOKEN))
        return own if self.before is None else self.before + own
