"""Errors as apps read them that speak no vendor's dialect: `detail` says it in a sentence."""

from typing import Any

import orjson

from understudy_proxy.doors.door import Refused


def plain_errors(refused: Refused) -> bytes:
    """The body."""
    return orjson.dumps(error_fields(refused))


def error_fields(refused: Refused) -> dict[str, Any]:
    """The fields of an error."""
    error = {
        "message": refused.message,
        "type": refused.type or "invalid_request_error",
        "param": refused.param,
        "code": refused.code,
    }
    return {"detail": refused.message, "error": error}
