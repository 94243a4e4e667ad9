"""The shapes in which OpenAI-compatible servers put an error, brought into one.

Seen: OpenAI's own object, a string in its place, a list around it (Gemini), vLLM's and Mistral's flat one, FastAPI's
`detail`, Cloudflare's `errors`, a bare `message`, plain text, HTML, nothing. Whatever comes, something is said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MAX_TEXT = 4096
_MAX_WORD = 64
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said; foreign text, cut but not yet fit to be shown."""

    message: str
    type: str | None = None
    code: str | None = None
    inner_code: str | None = None
    """Azure's `innererror.code`, Anthropic's `details.error_code`: what a code or type means in detail."""
    param: str | None = None
    status: int | None = None
    """Where the error object itself names an HTTP status, as OpenRouter's and Gemini's do."""
    error: Mapping[str, Any] = field(default_factory=dict)
    """The error object."""


def said_by(answer: Any, body: bytes) -> Said:
    """What a body says that is known to be an error; `answer` is its JSON or None."""
    if isinstance(answer, list):
        answer = answer[0] if answer else None
    if isinstance(answer, dict):
        return said_in(answer) or _read(answer)
    if isinstance(answer, str):
        return Said(answer[:_MAX_TEXT])
    return Said(_text(body))


def said_in(answer: dict[str, Any]) -> Said | None:
    """The error inside an answer or a chunk; None when it carries none."""
    error = answer.get("error")
    if not error and answer.get("object") == "error":
        return _read(answer)
    if not error:
        error = _error_of_choice(answer.get("choices"))
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, dict):
        return _read(error)
    if not error:
        return None
    # Ollama and others: the message itself, or a mere flag, sometimes with a type and a code beside it.
    return _read({**answer, "message": error} if isinstance(error, str) else answer)


def _error_of_choice(choices: Any) -> Any:
    """OpenRouter puts the error of the provider behind it into the choice."""
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0].get("error")
    return None


def _read(error: dict[str, Any]) -> Said:
    code = error.get("code")
    return Said(
        message=_message(error),
        type=_word(error.get("type")) or _word(error.get("status")),
        code=_word(code),
        inner_code=_inner_code(error),
        param=_word(error.get("param")),
        status=_status(code) or _status(error.get("status")),
        error=error,
    )


def _inner_code(error: dict[str, Any]) -> str | None:
    for name, field_ in (("innererror", "code"), ("details", "error_code")):
        inner = error.get(name)
        if isinstance(inner, dict):
            return _word(inner.get(field_))
    return None


def _message(error: dict[str, Any]) -> str:
    for name in ("message", "detail", "msg", "errors", "error"):
        text = _flattened(error.get(name))
        if text:
            return text[:_MAX_TEXT]
    return ""


def _flattened(value: Any) -> str:
    """The text in a message that may be an object or a list of objects, as validation errors are; two levels deep."""
    if isinstance(value, dict):
        value = value.get("detail") or value.get("message") or value.get("msg")
    if isinstance(value, list):
        value = "; ".join(_one(item) for item in value[:3])
    elif isinstance(value, dict):
        value = _one(value)
    return value if isinstance(value, str) else ""


def _one(item: Any) -> str:
    if not isinstance(item, dict):
        return item[:_MAX_TEXT] if isinstance(item, str) else ""
    text = item.get("msg") or item.get("message")
    where = item.get("loc")
    path = ".".join(str(part)[:_MAX_WORD] for part in where[:8]) if isinstance(where, list) else ""
    return f"{path}: {text}" if path and isinstance(text, str) else text if isinstance(text, str) else ""


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value)[:_MAX_WORD] or None if isinstance(value, str) else _number(value)


def _number(value: int) -> str | None:
    """A code that is a number; one too large to be one is nothing."""
    return str(value) if abs(value) < 1_000_000 else None


def _status(value: Any) -> int | None:
    if isinstance(value, str) and len(value) == len("000") and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and value in range(300, 600) else None


def _text(body: bytes) -> str:
    """Of HTML the title, else the beginning of the text; empty for what is no text."""
    if body.lstrip()[:1] == b"<":
        title = _TITLE.search(body[:_MAX_TEXT])
        return f"an HTML page: {title[1].decode(errors='replace').strip()}" if title else "an HTML page"
    return body[:_MAX_TEXT].decode(errors="replace").strip()
