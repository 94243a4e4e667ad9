"""What a tool gives back, and what a client may do with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from understudy_proxy.mcp.eras import Era


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The outcome of a call of a tool. A failure is one, too: models read it and do better."""

    text: str
    """For models and people."""
    structured: Any = None
    """The same for programs; None where it has no more to say than the text."""
    failed: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)
    """About the call rather than its outcome; names have a prefix."""


def structured(value: Mapping[str, Any], *, meta: Mapping[str, Any] | None = None) -> ToolResult:
    """A result for programs, with its JSON as the text for everybody else."""
    return ToolResult(orjson.dumps(value).decode(), value, meta=meta or {})


def rendered(result: ToolResult, era: Era) -> dict[str, Any]:
    """The result of `tools/call`."""
    fields: dict[str, Any] = {"content": [{"type": "text", "text": result.text}], "isError": result.failed}
    # Until 2026 it had to be an object.
    if result.structured is not None and (era is Era.MODERN or type(result.structured) is dict):
        fields["structuredContent"] = result.structured
    if result.meta:
        fields["_meta"] = dict(result.meta)
    return complete(fields, era)


def complete(fields: Mapping[str, Any], era: Era) -> dict[str, Any]:
    """A result that says, where its era wants that, that nothing more is asked of the client."""
    return {**fields, "resultType": "complete"} if era is Era.MODERN else dict(fields)


def cacheable(fields: Mapping[str, Any], era: Era, *, seconds: int, public: bool) -> dict[str, Any]:
    """A complete result that may be kept for so long; `public`: and shown to any other caller."""
    if era is Era.HANDSHAKE:
        return dict(fields)
    kept = {"ttlMs": seconds * 1000, "cacheScope": "public" if public else "private"}
    return complete({**fields, **kept}, era)
