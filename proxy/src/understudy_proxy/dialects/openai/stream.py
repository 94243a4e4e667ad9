"""A provider's event stream on its way to the client: whole events, cheaply, and never a cut taken for an end.

Until the answer has begun (content, a tool call, a finish: not just a role), every event is parsed and held back, so
that a failure can still be another backend's turn. After that an ordinary event passes as the bytes it came in; it is
parsed only when it may be the end, an error or the usage. What those are is told by keys in quotation marks: inside a
JSON string a quotation mark is escaped, so text that speaks of `"error"` does not look like one.
"""

import re
from typing import Any

import orjson

from understudy_proxy.dialects.failures.kinds import failure_of, interrupted, invalid_response
from understudy_proxy.dialects.failures.shapes import said_by, said_in
from understudy_proxy.dialects.interpretation import Fed
from understudy_proxy.dialects.openai import errors
from understudy_proxy.dialects.openai.answers import classify
from understudy_proxy.dialects.openai.eventdata import DONE, is_whole
from understudy_proxy.dialects.openai.usage import read_usage, states_usage
from understudy_proxy.dialects.passed_flow import MAX_HELD_BYTES
from understudy_proxy.dialects.sse import EventSplitter, EventTooLarge, parse
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

_END = b"data: [DONE]\n\n"
_KEEP_ALIVE = b":"
_MAX_CHOICES = 1024
_MIDDLE = b"}\n\ndata: {"
_NOTABLE = re.compile(rb'"(?:error"|role"|(?:finish_reason|usage)"(?!\s*+:\s*+null))')
"""What a plain event has none of: an end, usage, an error, a role."""
_ROLES = ((b'"delta":{"role":"assistant",', b'"delta":{'), (b'"delta": {"role": "assistant", ', b'"delta": {'))


class ChatStream:
    """One stream.

    Args:
        include_usage: the client asked for the usage chunk; else it is taken out.
        choices: how many answers the client asked for.
    """

    __slots__ = (
        "_appeared",
        "_began",
        "_counted",
        "_ended",
        "_failure",
        "_held",
        "_held_bytes",
        "_include_usage",
        "_passing",
        "_role_sent",
        "_several",
        "_splitter",
        "_stated",
        "finished",
    )

    def __init__(self, *, include_usage: bool, choices: int = 1) -> None:
        self.finished = False
        """The terminal event was seen; nothing after it matters."""
        self._stated: dict[str, Any] | None = None
        """The last chunk that stated usage."""
        self._include_usage = include_usage
        self._several = choices > 1
        self._splitter = EventSplitter()
        self._began = False
        self._passing = False
        """Plain events need no parsing: the answer has begun, is not over, and has a single choice."""
        self._role_sent = False
        self._held: list[bytes] = []
        self._counted = self._held_bytes = 0
        """How many of those that are held back were counted, and their bytes."""
        self._appeared: set[int] = set()
        self._ended: set[int] = set()
        self._failure: UpstreamFailure | None = None

    @property
    def usage(self) -> Usage | None:
        """What the provider has counted so far."""
        return None if self._stated is None else read_usage(self._stated)

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        if self._passing and not self._splitter.pending:
            if _are_plain(chunk):
                return Fed(chunk, True, None)
            if self._role_sent and b'"role"' in chunk and _are_plain(bare := _without_roles(chunk)):
                return Fed(bare, True, None)
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        try:
            events = self._splitter.feed(chunk)
        except EventTooLarge:
            events = []
            self._failure = invalid_response("an event of the stream has no end")
        return self._take(events)

    def close(self) -> Fed:
        """The stream has ended by itself, or broke: what is left to send, or the failure that it was cut.

        An answer whose every choice has finished is whole, even if the provider sends no `[DONE]`.
        """
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        tail = self._splitter.rest().strip()
        fed = self._take([tail]) if is_whole(tail) else Fed(b"", self._began, None)
        if self._is_over():
            return fed
        if self._ended and self._appeared <= self._ended:
            self.finished = True
            return Fed(fed.out + _END, True, None)
        self._failure = self._cut(tail)
        return Fed(fed.out, self._began, self._failure)

    @staticmethod
    def failed(failure: UpstreamFailure) -> bytes:
        """The event that tells the client that its answer is not complete."""
        return errors.in_stream(failure)

    def _is_over(self) -> bool:
        return self.finished or self._failure is not None

    def _take(self, events: list[bytes]) -> Fed:
        for event in events:
            if self._is_over():
                break
            if self._passing and _are_plain(event + b"\n\n"):
                self._held.append(event)
            else:
                self._read(event)
        if not self._began:
            return self._hold()
        self._passing = not (self._several or self._is_over())
        if not self._held:
            return Fed(b"", True, self._failure)
        out = b"\n\n".join(self._held) + b"\n\n"
        self._held.clear()
        return Fed(out, True, self._failure)

    def _hold(self) -> Fed:
        self._held_bytes += sum(map(len, self._held[self._counted :]))
        self._counted = len(self._held)
        if self._failure is None and self._held_bytes > MAX_HELD_BYTES:
            self._failure = invalid_response("the stream goes on and on without an answer")
        return Fed(b"", False, self._failure)

    def _read(self, event: bytes) -> None:
        name, data = parse(event)
        data = data.strip() if data else b""
        if not data:
            if self._began and event.startswith(b":"):
                self._held.append(_KEEP_ALIVE)
        elif data == DONE:
            self._read_done()
        else:
            self._read_chunk(name, data)

    def _read_done(self) -> None:
        if self._began:
            self.finished = True
            self._held.append(b"data: " + DONE)
        else:
            self._failure = invalid_response("the stream ended before an answer began")

    def _read_chunk(self, name: bytes, data: bytes) -> None:
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            chunk = None
        if not isinstance(chunk, dict):
            self._failure = invalid_response("an event of the stream is not a JSON object")
            return
        error = said_by(chunk, data) if name == b"error" else said_in(chunk)
        if error is not None:
            self._failure = failure_of(error, status=None, headers={})
            return
        choices = chunk.get("choices")
        if states := states_usage(chunk):
            self._stated = chunk
        if states and not choices:
            if not self._include_usage:
                return
            # Clients fail on a usage chunk without the key.
            data = _with_choices(chunk, data) if choices is None else data
        # Between two lines of `data` only; inside a string of JSON it would be escaped.
        data = data.replace(b"\n", b" ")
        self._held.append(b"data: " + (_without_roles(data) if self._role_sent and not self._several else data))
        if isinstance(choices, list):
            self._note(choices)

    def _note(self, choices: list[Any]) -> None:
        for choice in choices[:_MAX_CHOICES]:
            if not isinstance(choice, dict):
                continue
            index = choice.get("index")
            if isinstance(index, int) and len(self._appeared) < _MAX_CHOICES:
                self._appeared.add(index)
            if choice.get("finish_reason"):
                self._ended.add(index if isinstance(index, int) else 0)
                self._began = True
            delta = choice.get("delta")
            if isinstance(delta, dict):
                self._role_sent = self._role_sent or "role" in delta
                self._began = self._began or any(value for key, value in delta.items() if key != "role")
            elif choice.get("text"):  # a chunk of the older completions
                self._began = True

    def _cut(self, tail: bytes) -> UpstreamFailure:
        if not self._began and not self._appeared and tail[:1] in {b"{", b"["}:
            return classify(200, {}, tail) or invalid_response("a whole answer came where a stream was asked for")
        return interrupted()


def _are_plain(events: bytes) -> bool:
    """Whether this is nothing but whole events, each one line of JSON without anything that must be read."""
    return (
        events.endswith(b"}\n\n")
        and events.startswith(b"data: {")
        and b"\r" not in events
        and (events.find(b"\n") == len(events) - 2 or events.count(b"\n") == 2 * events.count(_MIDDLE) + 2)
        and _NOTABLE.search(events) is None
    )


def _without_roles(events: bytes) -> bytes:
    """Some servers repeat the role in every chunk, and clients that add deltas up get `assistantassistant`."""
    for repeated, rest in _ROLES:
        events = events.replace(repeated, rest)
    return events


def _with_choices(chunk: dict[str, Any], data: bytes) -> bytes:
    try:
        return orjson.dumps(chunk | {"choices": []})
    except orjson.JSONEncodeError:  # nested deeper than can be written, though not deeper than can be read
        return data
