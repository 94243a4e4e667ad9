"""Results of tools as a model reads them."""

from understudy_proxy.dialects.canonical.content import Text, ToolCall, ToolResult

MAX_CHARACTERS = 100_000
"""Of one result: some 25,000 tokens. A tool may answer ten times as much, which fills most models' windows."""
GIVEN_UP = "This was given up: the time for calling tools is up. Answer with what you have."
_NOTHING = "(nothing)"
"""Some vendors refuse an empty text."""


def result_of(call: ToolCall, text: str, *, failed: bool) -> ToolResult:
    """The result of `call`; a longer one is cut, and says so."""
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}\n[cut: this is the beginning of {len(text)} characters]"
    return ToolResult(call_id=call.id, content=(Text(text or _NOTHING),), name=call.name, is_error=failed)
