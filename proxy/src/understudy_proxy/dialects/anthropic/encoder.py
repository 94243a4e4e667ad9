"""A stream as Anthropic's clients get it.

What their SDKs fail on never happens: every event has its name, blocks are counted from 0 without a gap and never
overlap, and the end states usage.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from understudy_proxy.dialects.anthropic import errors
from understudy_proxy.dialects.anthropic.message import UNSIGNED, ending, head, signature_block, usage
from understudy_proxy.dialects.anthropic.request import MessagesRequest
from understudy_proxy.dialects.anthropic.usage import usage_fields
from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import Issuer, Signature, Thinking
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Failed,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    Said,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.canonical.signatures import tagged
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

MAX_KEPT_CHARACTERS = 16 * 1024 * 1024
"""Of arguments that cannot be sent yet: those of calls that come mixed up."""
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_END = b"}}\n\n"
_TEXT = b'"text_delta","text":'
_THINKING = b'"thinking_delta","thinking":'
_ARGUMENTS = b'"input_json_delta","partial_json":'
_SIGNATURE = b'"signature_delta","signature":'


class MessageEncoder:
    """Events to the vendor's events.

    Args:
        model: what the client calls it, for a provider that does not say what answers.
    """

    __slots__ = (
        "_arguments",
        "_began",
        "_call",
        "_finished",
        "_index",
        "_kept",
        "_lost",
        "_model",
        "_open",
        "_prefix",
        "_refusal",
        "_started",
        "_usage",
        "_waiting",
    )

    def __init__(self, *, model: str) -> None:
        self._model = model
        self._began = Began()
        self._started = False
        self._usage: Usage | None = None
        self._index = -1
        """Of the last block."""
        self._open: bytes | None = None
        """The kind of delta that goes on with the block that is open; None: none is."""
        self._prefix = b""
        """What such a delta begins with."""
        self._call: int | None = None
        """The call whose block is open."""
        self._arguments: list[str] = []
        """Of that call, so far."""
        self._kept = 0
        """Characters of arguments in both."""
        self._lost = False
        """There were more: the answer is not whole."""
        self._waiting: dict[int, list[ToolCallBegan | ArgumentsDelta]] = {}
        """Calls that came before the one that is open was whole: their blocks come after it."""
        self._finished = Finished(Finish.STOP)
        self._refusal: list[str] = []

    @classmethod
    def of(cls, asked: MessagesRequest) -> "MessageEncoder":
        """The encoder of the stream that answers `asked`."""
        return cls(model=asked.model)

    def encode(self, events: Sequence[Event]) -> bytes:
        """The vendor's events for these."""
        return b"".join([self._event(event) for event in events])

    def failed(self, failure: UpstreamFailure) -> bytes:
        """The event that says the answer is not complete."""
        return errors.in_stream(failure)

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta():
                return self._words(_TEXT, event.text)
            case Began():
                self._began = event
            case Counted():
                self._usage = event.usage
            case KeptAlive():
                opening = self._start() if event.ours else b""
                return opening + _PING if self._started else b""
            case Resumed():
                return self._start() + _named("ping", {"understudy": {"resumed_by": event.by}})
            case Ended():
                return self._end()
            case Failed():
                pass
            case _:
                return self._said(event)
        return b""

    def _said(self, event: Said) -> bytes:
        match event:
            case ArgumentsDelta():
                return self._argue(event)
            case ToolCallBegan():
                return self._begin_call(event)
            case ThinkingDelta():
                return self._words(_THINKING, event.text)
            case ThinkingSigned():
                return self._sign(event.signature)
            case ThinkingRedacted():
                block = signature_block(Thinking(redacted=event.data))
                return self._close_all() + self._begin(block, b"") + self._close()
            case RefusalDelta():
                self._refusal.append(event.text)
                return self._words(_TEXT, event.text)
            case Finished():
                self._finished = event
                return self._start() + self._close_all()
            case _:
                return b""

    def _words(self, kind: bytes, words: str) -> bytes:
        """More of a block of words, or the first of a new one."""
        if not words:
            return b""
        opening = b"" if self._open is kind else self._close_all() + self._begin(_EMPTY[kind], kind)
        return b"".join((opening, self._prefix, orjson.dumps(words), _END))

    def _sign(self, signature: Signature) -> bytes:
        """Sign the reasoning that is open, or a thought without words."""
        opening = b"" if self._open is _THINKING else self._close_all() + self._begin(_EMPTY[_THINKING], _THINKING)
        self._open = _SIGNATURE
        return opening + self._signature(signature) + self._close()

    def _signature(self, signature: Signature) -> bytes:
        value = orjson.dumps(tagged(signature, own=Issuer.ANTHROPIC))
        return _delta_start(self._index) + _SIGNATURE + value + _END

    def _begin_call(self, event: ToolCallBegan) -> bytes:
        if self._call is not None and not _is_whole("".join(self._arguments)):
            self._waiting[event.index] = [event]
            return b""
        # A call has no field for a signature, so it goes before, in a thought without words.
        before = self._close() + (self._sign(event.signature) if event.signature is not None else b"")
        block = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
        opening = before + self._begin(block, _ARGUMENTS)
        self._call, self._arguments = event.index, []
        if not self._waiting:
            self._kept = 0
        return opening

    def _argue(self, event: ArgumentsDelta) -> bytes:
        if not event.text:
            return b""
        self._kept += len(event.text)
        if event.index == self._call:
            if self._kept <= MAX_KEPT_CHARACTERS:
                self._arguments.append(event.text)
            return self._prefix + orjson.dumps(event.text) + _END
        if (waiting := self._waiting.get(event.index)) is not None:
            if self._kept <= MAX_KEPT_CHARACTERS:
                waiting.append(event)
            else:
                self._lost = True
        return b""

    def _start(self) -> bytes:
        """The first event, once."""
        if self._started:
            return b""
        self._started = True
        message = head(self._began.id, self._began.model or self._model) | {
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": usage(self._usage, self._began.service_tier),
        }
        return _named("message_start", {"message": message})

    def _begin(self, block: dict[str, Any], kind: bytes) -> bytes:
        """A new block; the one before is closed."""
        self._index += 1
        self._open = kind
        self._prefix = _delta_start(self._index) + kind
        return self._start() + _named("content_block_start", {"index": self._index, "content_block": block})

    def _close(self) -> bytes:
        """The end of the block that is open, if one is."""
        if self._open is None:
            return b""
        unsigned = self._signature(UNSIGNED) if self._open is _THINKING else b""
        self._open = self._call = None
        return unsigned + _named("content_block_stop", {"index": self._index})

    def _close_all(self) -> bytes:
        """As `_close`, and the calls that wait for it, whole."""
        closed = [self._close()]
        waiting, self._waiting = self._waiting, {}
        for first, *more in waiting.values():
            closed += [self._said(first), *(self._said(event) for event in more), self._close()]
        return b"".join(closed)

    def _end(self) -> bytes:
        if self._lost:
            return errors.in_stream(_MIXED_UP)
        finished = self._finished
        delta = ending(finished.finish, finished.stop_sequence, "".join(self._refusal))
        last = {"delta": delta, "usage": usage_fields(self._usage)}
        return self._start() + self._close_all() + _named("message_delta", last) + _STOP


_MIXED_UP = UpstreamFailure(FailureKind.INVALID_RESPONSE, "too much of tool calls that come mixed up")
_EMPTY: dict[bytes, dict[str, Any]] = {
    _TEXT: {"type": "text", "text": ""},
    _THINKING: {"type": "thinking", "thinking": "", "signature": ""},
}


def _named(name: str, fields: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps({"type": name} | fields) + b"\n\n"


def _delta_start(index: int) -> bytes:
    return b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":' % index


def _is_whole(arguments: str) -> bool:
    try:
        orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return False
    return True
