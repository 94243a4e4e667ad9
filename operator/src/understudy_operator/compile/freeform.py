"""Free-form JSON that users write and providers get: JSON Schemas and request parameters."""

from typing import Any

MAX_DEPTH = 32
"""Levels: far beyond any schema written by hand, and far within what every JSON reader on the way can take."""
_MAX_INTEGER = 2**63 - 1
"""What JSON writers in other languages can hold."""


def problem_with(value: Any, *, depth: int = MAX_DEPTH) -> str | None:
    """Why a value cannot be sent on as it is; None when it can."""
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return "holds a number beyond 64 bits"
    if not isinstance(value, (dict, list, tuple)):
        return None
    if depth == 0:
        return f"is nested deeper than {MAX_DEPTH} levels"
    items = value.values() if isinstance(value, dict) else value
    return next((problem for item in items if (problem := problem_with(item, depth=depth - 1))), None)
