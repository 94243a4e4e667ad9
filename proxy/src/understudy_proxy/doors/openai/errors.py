"""Errors in OpenAI's format."""

from understudy_proxy.dialects.openai import errors
from understudy_proxy.doors.door import Refused


def openai_errors(refused: Refused) -> bytes:
    """The body."""
    return errors.render(
        refused.message,
        type=refused.type or "invalid_request_error",
        code=refused.code,
        param=refused.param,
    )
