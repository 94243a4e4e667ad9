"""JSON of bodies: requests as they are written, and what is read of answers that may hold anything."""

from typing import Any

import orjson

from understudy_proxy.dialects.request_error import RequestError


def written(body: dict[str, Any]) -> bytes:
    """The bytes of a body.

    Raises:
        RequestError: it is nested too deeply to be written.
    """
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise RequestError("The body of the request is nested too deeply: at most 254 levels can be sent on.") from None


def json_text(value: Any) -> str:
    """`value` as compact JSON; nothing where it is nested deeper than can be written, though it could be read."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return ""


def string(value: Any) -> str | None:
    """`value` if it is a text with something in it."""
    return value if isinstance(value, str) and value else None
