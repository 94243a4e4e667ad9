"""What functions return, as Gemini takes it: an object, whatever it was."""

import re
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.content import Document, Image, Text, ToolResult
from understudy_proxy.dialects.fields import invalid

_OUTPUT, _ERROR = "output", "error"
"""Google's own names for what a function that has no better ones returned."""
_LONG_NUMBER = re.compile(r"\d{16}")
"""Gemini's numbers are doubles: longer ones would change."""


def response_of(result: ToolResult) -> dict[str, Any]:
    """The `response` of a `functionResponse`: the object that was returned, or one made around the text."""
    text = "\n".join(words for part in result.content if (words := _words(part)))
    if result.is_error:
        return {_ERROR: text}
    return _object(text) or {_OUTPUT: text}


def result_of(response: dict[str, Any]) -> tuple[str, bool]:
    """The text of a `response`, and whether it is an error.

    Raises:
        RequestError: it is nested too deeply.
    """
    for name in (_OUTPUT, "result", _ERROR):
        if response.keys() == {name}:
            value = response[name]
            return value if isinstance(value, str) else _json(value), name == _ERROR
    return _json(response), False


def _words(part: Text | Image | Document) -> str:
    match part:
        case Text():
            return part.text
        case Document(text=str() as text):
            return text
        case Image():
            return "(see the image that follows)"
        case _:
            return "(see the file that follows)"


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{") or _LONG_NUMBER.search(text):
        return None
    try:
        value = orjson.loads(text)
        # What nests too deeply to be written again stays text.
        orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return value if isinstance(value, dict) and value else None


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        raise invalid("contents", "the response of a function is nested too deeply.") from None
