"""The arguments of a tool call, for vendors that want an object where others have text."""

from typing import Any

import orjson

from understudy_proxy.dialects.canonical.content import ToolCall
from understudy_proxy.dialects.request_error import RequestError


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """The object that a client sends back as a call's arguments; empty text is an empty object.

    Raises:
        RequestError: they are no JSON object.
    """
    try:
        arguments = orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError:
        arguments = None
    if not isinstance(arguments, dict):
        raise RequestError(
            f"The arguments of the tool call {call.id[:64]!r} must be a JSON object, as text.",
            code="invalid_value",
            param="messages",
        )
    return arguments
