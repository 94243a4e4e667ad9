"""The trace that a call belongs to, as a mesh writes it: whoever is asked because of the call is told it, too."""

import re
from collections.abc import Mapping
from contextvars import ContextVar

TRACE: ContextVar[Mapping[str, str]] = ContextVar("understudy_mesh_trace", default={})  # noqa: B039 - nobody changes it
"""What the call that is being answered said, as arguments of the calls that come of it."""
_TOLD = {
    "_trace_id": ("x-trace-id", re.compile(r"[0-9a-f]{32}")),
    "_parent_span": ("x-parent-span", re.compile(r"[0-9a-f]{16}")),
}


def told_trace(arguments: Mapping[str, object], headers: Mapping[str, str]) -> dict[str, str]:
    """The trace in the arguments of a call or in its headers; without what is none."""
    found = {name: arguments.get(name) or headers.get(header) for name, (header, _) in _TOLD.items()}
    return {name: text for name, text in found.items() if isinstance(text, str) and _TOLD[name][1].fullmatch(text)}
