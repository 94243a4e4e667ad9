"""A provider's stream of lines on its way to a client that speaks as Ollama does.

It has begun with a word, a call or its end. Each line is parsed once, for its usage and its end.
"""

from typing import Any, ClassVar

from understudy_proxy.dialects.failures.kinds import parsed
from understudy_proxy.dialects.ollama import errors
from understudy_proxy.dialects.ollama.failures import failure_in
from understudy_proxy.dialects.ollama.ndjson import LineSplitter, LineTooLarge
from understudy_proxy.dialects.ollama.usage import read_usage
from understudy_proxy.dialects.passed_flow import PassedFlow
from understudy_proxy.failure import UpstreamFailure


class PassedStream(PassedFlow):
    """One stream. It tells its usage in the end."""

    __slots__ = ()

    _piece: ClassVar[str] = "a line"
    _too_large: ClassVar[type[Exception]] = LineTooLarge

    def __init__(self) -> None:
        super().__init__(LineSplitter())

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client that the answer is not complete."""
        return errors.in_stream(failure)

    def _framed(self, held: bytes) -> bytes:
        return held + b"\n"

    def _is_whole(self, tail: bytes) -> bool:
        return parsed(tail) is not None

    def _read(self, line: bytes) -> None:
        said = parsed(line)
        if (failure := failure_in(said)) is not None:
            self._failure = failure
        elif not isinstance(said, dict):
            self._fail("a line of the stream is not a JSON object")
        else:
            self._hold(line)
            self._began = self._began or _says(said)
            if said.get("done") is True:
                self.usage = read_usage(said)
                self.finished = self._began = True


def _says(said: dict[str, Any]) -> bool:
    message = said.get("message")
    words = message if isinstance(message, dict) else said
    return any(words.get(name) for name in ("content", "thinking", "tool_calls", "response"))
