"""What other models said, in a request that is passed on: Google refuses what others signed, and what nobody did.

Foreign signatures came to the client with an answer of another vendor's model, see `thoughts`. Calls without any are
of a vendor that signs none, or of an older model.
"""

from typing import Any

from understudy_proxy.dialects.gemini.messages import camel, field_of
from understudy_proxy.dialects.gemini.thoughts import ESCAPE, FOREIGN


def without_foreign(request: dict[str, Any]) -> dict[str, Any]:
    """A new request without foreign signatures, and without the reasoning that they sign."""
    changed = dict(request)
    contents = changed.get("contents")
    if isinstance(contents, list):
        changed["contents"] = [clean for content in contents if (clean := _content(content)) is not None]
    return changed


def with_escapes(request: dict[str, Any]) -> dict[str, Any]:
    """A new request in which the first call of a turn has what stands for a signature, if it has none of its own."""
    contents = request.get("contents")
    if not isinstance(contents, list):
        return request
    written: list[Any] = []
    called = False
    for content in contents:
        place = _first_call(content)
        # One turn may come as several contents, of which only the first call is signed.
        escape = place is not None and not called
        called = place is not None or (called and _is_models(content))
        written.append(_escaped(content, place) if escape and place is not None else content)
    return {**request, "contents": written}


def _first_call(content: Any) -> int | None:
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        return None
    calls = (place for place, part in enumerate(parts) if isinstance(part, dict) and field_of(part, "functionCall"))
    return next(calls, None)


def _escaped(content: dict[str, Any], place: int) -> dict[str, Any]:
    parts = list(content["parts"])
    if field_of(parts[place], "thoughtSignature") is None:
        parts[place] = {**parts[place], "thoughtSignature": ESCAPE}
    return {**content, "parts": parts}


def _is_models(content: Any) -> bool:
    return isinstance(content, dict) and content.get("role") == "model"


def _content(content: Any) -> Any:
    """A turn without them; None when nothing is left of it."""
    parts = content.get("parts") if isinstance(content, dict) else None
    parts = [parts] if isinstance(parts, dict) else parts
    if not isinstance(parts, list) or not any(_is_foreign(part) for part in parts):
        return content
    kept = [_unsigned(part) for part in parts if not _is_reasoning(part)]
    return {**content, "parts": kept} if kept else None


def _is_reasoning(part: Any) -> bool:
    """Whether it is signed by another vendor, or a piece of what is, and no call."""
    if not isinstance(part, dict) or field_of(part, "functionCall") is not None:
        return False
    return _is_foreign(part) or (part.get("thought") is True and field_of(part, "thoughtSignature") is None)


def _unsigned(part: Any) -> Any:
    """A copy of a part, without its signature if that is foreign."""
    if not isinstance(part, dict):
        return part
    foreign = _is_foreign(part)
    return {name: value for name, value in part.items() if not (foreign and camel(name) == "thoughtSignature")}


def _is_foreign(part: Any) -> bool:
    mark = field_of(part, "thoughtSignature") if isinstance(part, dict) else None
    return isinstance(mark, str) and mark.startswith(FOREIGN)
