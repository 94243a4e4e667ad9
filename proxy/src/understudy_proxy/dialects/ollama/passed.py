"""A provider's stream on its way to a client of the same format: whole lines, and never a cut taken for an end.

Until the answer has begun (a word, a call, its end) lines are held back, so that a failure can still be another
backend's turn. Each line is parsed once, for its usage and its end, and goes on as it came.
"""

from typing import Any

from understudy_proxy.dialects.failures.kinds import interrupted, invalid_response, parsed
from understudy_proxy.dialects.interpretation import Fed
from understudy_proxy.dialects.ollama import errors
from understudy_proxy.dialects.ollama.failures import failure_in
from understudy_proxy.dialects.ollama.ndjson import LineSplitter, LineTooLarge
from understudy_proxy.dialects.ollama.usage import read_usage
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import UpstreamFailure

_MAX_HELD_BYTES = 1024 * 1024


class PassedStream:
    """One stream."""

    __slots__ = ("_began", "_failure", "_held", "_held_bytes", "_splitter", "finished", "usage")

    def __init__(self) -> None:
        self.finished = False
        """The last line was seen."""
        self.usage: Usage | None = None
        """What the provider has counted, which it tells in the end."""
        self._splitter = LineSplitter()
        self._held: list[bytes] = []
        self._held_bytes = 0
        """Of all that was held while nothing had begun."""
        self._began = False
        self._failure: UpstreamFailure | None = None

    def feed(self, chunk: bytes) -> Fed:
        """Take the next bytes of the stream."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        try:
            lines = self._splitter.feed(chunk)
        except LineTooLarge:
            lines = []
            self._failure = invalid_response("a line of the stream has no end")
        return self._take(lines)

    def close(self) -> Fed:
        """The stream has ended by itself, or broke: what is left to send, or the failure that it was cut."""
        if self._is_over():
            return Fed(b"", self._began, self._failure)
        tail = self._splitter.rest()
        fed = self._take([] if parsed(tail) is None else [tail])
        if not self._is_over():
            self._failure = interrupted()
            return fed._replace(failure=self._failure)
        return fed

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that the answer is not complete."""
        return errors.in_stream(failure)

    def _is_over(self) -> bool:
        return self.finished or self._failure is not None

    def _take(self, lines: list[bytes]) -> Fed:
        for line in lines:
            if self._is_over():
                break
            self._read(line)
        if not self._began:
            if self._failure is None and self._held_bytes > _MAX_HELD_BYTES:
                self._failure = invalid_response("the stream goes on and on without an answer")
            return Fed(b"", False, self._failure)
        out = b"".join([line + b"\n" for line in self._held])
        self._held.clear()
        return Fed(out, True, self._failure)

    def _read(self, line: bytes) -> None:
        said = parsed(line)
        if (failure := failure_in(said)) is not None:
            self._failure = failure
        elif not isinstance(said, dict):
            self._failure = invalid_response("a line of the stream is not a JSON object")
        else:
            self._held.append(line)
            self._held_bytes += len(line)
            self._began = self._began or _says(said)
            if said.get("done") is True:
                self.usage = read_usage(said)
                self.finished = self._began = True


def _says(said: dict[str, Any]) -> bool:
    message = said.get("message")
    words = message if isinstance(message, dict) else said
    return any(words.get(name) for name in ("content", "thinking", "tool_calls", "response"))
