"""A response as it comes: named events, numbered, each item opened, filled and closed.

The order is OpenAI's: an item is added, its parts are added to it, deltas fill them, and each is told once more whole
when it is done. Calls may be open side by side, since some vendors interleave them; words are closed before anything
else begins.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import Thinking, ToolCall
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Finished,
    KeptAlive,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.openai.responses.output import (
    Item,
    call_item,
    message_item,
    new_id,
    reasoning_item,
    refusal_part,
    text_part,
)
from understudy_proxy.dialects.openai.responses.request import ResponseRequest
from understudy_proxy.dialects.openai.responses.response import begun, ended
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

_KEEP_ALIVE = b": keep-alive\n\n"
_Named = tuple[str, dict[str, Any]]


@dataclass(slots=True)
class _Words:
    """An item of words that is open: a message or reasoning."""

    place: int
    id: str
    kind: str
    """`output_text`, `refusal` or `reasoning`."""
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Call:
    """A call that is open."""

    place: int
    id: str
    call: ToolCall
    pieces: list[str] = field(default_factory=list)


class ResponseEncoder:
    """Events to a response's events."""

    def __init__(self, asked: ResponseRequest) -> None:
        self._asked = asked
        self._response = begun(asked)
        self._opened = False
        self._number = 0
        self._output: list[Item] = []
        """Items by their place; those that are open are told as they began."""
        self._words: _Words | None = None
        self._calls: dict[int, _Call] = {}
        self._finish = Finish.STOP
        self._usage: Usage | None = None
        self._model: str | None = None

    def encode(self, events: Sequence[Event]) -> bytes:
        """What to send for these."""
        out: list[bytes] = []
        for event in events:
            if isinstance(event, KeptAlive):
                out.append(_KEEP_ALIVE)
            else:
                out += [self._framed(name, fields) for name, fields in self._told(event)]
        return b"".join(out)

    def failed(self, failure: UpstreamFailure) -> bytes:
        """An error; OpenAI's SDKs raise it for the object in `error`."""
        message = f"The provider's stream was interrupted ({failure.kind}): the answer is not complete."
        error = {"message": message, "type": "upstream_error", "param": None, "code": "stream_interrupted"}
        return self._framed("error", {"code": error["code"], "message": message, "param": None, "error": error})

    def _framed(self, name: str, fields: dict[str, Any]) -> bytes:
        data = orjson.dumps({"type": name, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)

    def _told(self, event: Event) -> Iterator[_Named]:
        if not self._opened:
            self._opened = True
            yield "response.created", {"response": self._response}
            yield "response.in_progress", {"response": self._response}
        match event:
            case Finished():
                self._finish = event.finish
            case Counted():
                self._usage = event.usage
            case Began():
                self._model = event.model or self._model
            case Ended():
                yield from self._end()
            case _:
                yield from self._item(event)

    def _item(self, event: Event) -> Iterator[_Named]:
        match event:
            case TextDelta():
                yield from self._say("output_text", event.text)
            case RefusalDelta():
                yield from self._say("refusal", event.text)
            case ThinkingDelta():
                yield from self._say("reasoning", event.text)
            case ThinkingSigned():
                yield from self._seal(Thinking(signature=event.signature))
            case ThinkingRedacted():
                yield from self._seal(Thinking(redacted=event.data))
            case ToolCallBegan():
                yield from self._call(event)
            case ArgumentsDelta():
                call = self._calls[event.index]
                call.pieces.append(event.text)
                fields = {"item_id": call.id, "output_index": call.place, "delta": event.text}
                yield "response.function_call_arguments.delta", fields

    def _say(self, kind: str, text: str) -> Iterator[_Named]:
        if self._words is None or self._words.kind != kind:
            yield from self._close_words()
            yield from self._open_words(kind)
        words = self._words
        if words is None or not text:
            return
        words.pieces.append(text)
        yield _DELTA[kind], {**_at(words), "delta": text, **({"logprobs": []} if kind == "output_text" else {})}

    def _open_words(self, kind: str) -> Iterator[_Named]:
        reasons = kind == "reasoning"
        words = self._words = _Words(len(self._output), new_id("rs" if reasons else "msg"), kind)
        item = reasoning_item(words.id, Thinking()) if reasons else message_item(words.id, [], status="in_progress")
        self._output.append(item)
        yield "response.output_item.added", {"output_index": words.place, "item": item}
        yield _PART_ADDED[reasons], {**_at(words), "part": _part(kind, "")}

    def _close_words(self, thinking: Thinking | None = None) -> Iterator[_Named]:
        words, self._words = self._words, None
        if words is None:
            return
        text = "".join(words.pieces)
        reasons = words.kind == "reasoning"
        whole = {"refusal": text} if words.kind == "refusal" else {"text": text}
        yield _DONE[words.kind], {**_at(words), **whole, **({"logprobs": []} if words.kind == "output_text" else {})}
        yield _PART_DONE[reasons], {**_at(words), "part": _part(words.kind, text)}
        if reasons:
            item = reasoning_item(words.id, replace(thinking or Thinking(), text=text))
        else:
            item = message_item(words.id, [_part(words.kind, text)])
        yield self._done(words.place, item)

    def _seal(self, thinking: Thinking) -> Iterator[_Named]:
        if thinking.signature is not None and self._words is not None and self._words.kind == "reasoning":
            yield from self._close_words(thinking)
            return
        yield from self._close_words()
        item = reasoning_item(new_id("rs"), thinking)
        self._output.append(item)
        yield "response.output_item.added", {"output_index": len(self._output) - 1, "item": item}
        yield self._done(len(self._output) - 1, item)

    def _call(self, event: ToolCallBegan) -> Iterator[_Named]:
        yield from self._close_words()
        call = _Call(len(self._output), new_id("fc"), ToolCall(event.id, event.name, "", event.signature))
        self._calls[event.index] = call
        item = call_item(call.id, call.call, status="in_progress")
        self._output.append(item)
        yield "response.output_item.added", {"output_index": call.place, "item": item}

    def _end(self) -> Iterator[_Named]:
        yield from self._close_words()
        for call in self._calls.values():
            arguments = "".join(call.pieces) or "{}"
            item = call_item(call.id, replace(call.call, arguments=arguments))
            fields = {"item_id": call.id, "output_index": call.place, "name": call.call.name, "arguments": arguments}
            yield "response.function_call_arguments.done", fields
            yield self._done(call.place, item)
        response = ended(self._response, self._output, self._finish, self._usage, model=self._model)
        self._asked.kept.response = response
        yield f"response.{response['status']}", {"response": response}

    def _done(self, place: int, item: Item) -> _Named:
        self._output[place] = item
        return "response.output_item.done", {"output_index": place, "item": item}


_DELTA = {
    "output_text": "response.output_text.delta",
    "refusal": "response.refusal.delta",
    "reasoning": "response.reasoning_summary_text.delta",
}
_DONE = {kind: name.removesuffix("delta") + "done" for kind, name in _DELTA.items()}
_PART_ADDED = ("response.content_part.added", "response.reasoning_summary_part.added")
_PART_DONE = ("response.content_part.done", "response.reasoning_summary_part.done")


def _at(words: _Words) -> dict[str, Any]:
    index = "summary_index" if words.kind == "reasoning" else "content_index"
    return {"item_id": words.id, "output_index": words.place, index: 0}


def _part(kind: str, text: str) -> Item:
    match kind:
        case "output_text":
            return text_part(text)
        case "refusal":
            return refusal_part(text)
        case _:
            return {"type": "summary_text", "text": text}
