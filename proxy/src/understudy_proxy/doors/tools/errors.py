"""Errors of the tools' doors: in the form of a failed call, so that an app has one thing to look at."""

from typing import Any

import orjson

from understudy_proxy.doors.door import Refused


def tool_errors(refused: Refused) -> bytes:
    """The body."""
    return orjson.dumps(failure(refused.message, code=refused.code or refused.reason or "error"))


def failure(error: str, *, code: str) -> dict[str, Any]:
    """A call without a result: why, for people and models, and in a word for programs."""
    return {"success": False, "error": error, "code": code}
