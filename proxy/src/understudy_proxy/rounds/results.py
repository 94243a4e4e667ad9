"""Results of tools as a model reads them."""

from collections.abc import Sequence
from dataclasses import replace

from understudy_proxy.dialects.canonical.content import Text, ToolCall, ToolResult

MAX_CHARACTERS = 100_000
"""Of one result: some 25,000 tokens. A tool may answer ten times as much, which fills most models' windows."""
MAX_CHARACTERS_IN_ALL = 2_000_000
"""Of all results of one request: beyond what the widest windows take, and within what a gateway can hold for many."""
GIVEN_UP = "This was given up: the time for calling tools is up. Answer with what you have."
_NOTHING = "(nothing)"
"""Some vendors refuse an empty text."""


def fitted(results: Sequence[ToolResult], *, room: int) -> list[ToolResult]:
    """The results cut to `room` characters in all; the last ones give way."""
    fit: list[ToolResult] = []
    for result in results:
        fit.append(result if characters(result) <= room else _shortened(result, room))
        room = max(0, room - characters(result))
    return fit


def characters(result: ToolResult) -> int:
    """Of its words."""
    return len(_words(result))


def result_of(call: ToolCall, text: str, *, failed: bool) -> ToolResult:
    """The result of `call`; a longer one is cut, and says so."""
    if len(text) > MAX_CHARACTERS:
        text = _cut(text, MAX_CHARACTERS)
    return ToolResult(call_id=call.id, content=(Text(text or _NOTHING),), name=call.name, is_error=failed)


def _shortened(result: ToolResult, room: int) -> ToolResult:
    return replace(result, content=(Text(_cut(_words(result), room)),))


def _words(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


def _cut(text: str, characters: int) -> str:
    """The beginning of a text that is longer, which it says."""
    return f"{text[:characters]}\n[cut: this is the beginning of {len(text)} characters]"
