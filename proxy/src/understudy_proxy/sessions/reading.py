"""A request for a new session, read."""

import math
from collections.abc import Mapping
from typing import Any

import orjson

from understudy_proxy.dialects.fields import invalid, mapping, shown, wrong_type

MAX_TTL_SECONDS = 30 * 24 * 3600
MAX_CONTEXT_BYTES = 16 * 1024
_MAX_NAME = 63
"""As the variables of prompts have it."""


def read_new(body: Mapping[str, Any]) -> tuple[float | None, dict[str, Any]]:
    """For how long it is kept, if that is said, and its context.

    Raises:
        RequestError: the request is wrong.
    """
    return _ttl(body.get("ttl_seconds")), _context(body.get("context"))


def _ttl(given: Any) -> float | None:
    if given is None:
        return None
    if type(given) not in (int, float):
        raise wrong_type("ttl_seconds", "a number", given)
    if not (math.isfinite(given) and 0 < given <= MAX_TTL_SECONDS):
        raise invalid("ttl_seconds", f"expected more than 0 and at most {MAX_TTL_SECONDS} seconds, but got {given}.")
    return float(given)


def _context(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    context = mapping(given, "context")
    for name in context:
        if not 0 < len(name) <= _MAX_NAME:
            raise invalid("context", f"its names have 1 to {_MAX_NAME} characters, but {shown(name)} has {len(name)}.")
    try:
        size = len(orjson.dumps(context))
    except orjson.JSONEncodeError:
        raise invalid("context", "it is nested too deeply.") from None
    if size > MAX_CONTEXT_BYTES:
        raise invalid("context", f"expected at most {MAX_CONTEXT_BYTES} bytes of JSON, but got {size}.")
    return context
