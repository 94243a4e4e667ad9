"""Taking other vendors' signatures out of a request that is passed on: Google refuses what it did not sign.

They came to the client with an answer of another vendor's model, see `thoughts`.
"""

from typing import Any

from understudy_proxy.dialects.gemini.messages import camel, field_of
from understudy_proxy.dialects.gemini.thoughts import ESCAPE, FOREIGN


def without_foreign(request: dict[str, Any], *, escape: bool) -> dict[str, Any]:
    """A new request without foreign signatures, and without the reasoning that they sign.

    With `escape`, the first call of a turn of which no call is signed gets what stands for a signature.
    """
    changed = dict(request)
    contents = changed.get("contents")
    if isinstance(contents, list):
        changed["contents"] = [clean for content in contents if (clean := _content(content, escape=escape)) is not None]
    return changed


def _content(content: Any, *, escape: bool) -> Any:
    """A turn without them; None when nothing is left of it."""
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not any(_is_foreign(part) for part in parts):
        return content
    kept = [_unsigned(part) for part in parts if not _is_reasoning(part)]
    call = next((part for part in kept if isinstance(part, dict) and field_of(part, "functionCall")), None)
    if escape and call is not None and field_of(call, "thoughtSignature") is None:
        call["thoughtSignature"] = ESCAPE
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
