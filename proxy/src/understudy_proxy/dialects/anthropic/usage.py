"""Tokens as Anthropic counts them: what was cached, or is newly cached, is not part of the input."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.usage import Usage

_FIELDS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class Counting:
    """The counts of a stream. Each event that states them states totals, and may leave out what has not changed."""

    __slots__ = ("_counts", "_thinking")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._thinking = 0

    def add(self, stated: Any) -> bool:
        """Take what an event or an answer states in its `usage`; whether that is a count at all."""
        if not isinstance(stated, Mapping):
            return False
        for field in _FIELDS:
            if (tokens := _tokens(stated.get(field))) is not None:
                self._counts[field] = tokens
        details = stated.get("output_tokens_details")
        if isinstance(details, Mapping) and (thinking := _tokens(details.get("thinking_tokens"))) is not None:
            self._thinking = thinking
        return True

    @property
    def usage(self) -> Usage | None:
        """All of it; None where nothing was counted."""
        if not self._counts:
            return None
        plain, cached, written, output = (self._counts.get(field, 0) for field in _FIELDS)
        return Usage(plain + cached + written, output, cached, written, self._thinking)


def read_usage(stated: Any) -> Usage | None:
    """The `usage` of a whole answer."""
    counting = Counting()
    counting.add(stated)
    return counting.usage


def usage_fields(usage: Usage | None) -> dict[str, Any]:
    """A `usage` for clients, who rely on it being there."""
    usage = usage or Usage(0, 0)
    return {
        "input_tokens": max(0, usage.input - usage.cached_input - usage.cache_write),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached_input,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }


def _tokens(value: Any) -> int | None:
    """A count; a provider's slip must not break an answer that is there."""
    return value if type(value) is int and value >= 0 else None
