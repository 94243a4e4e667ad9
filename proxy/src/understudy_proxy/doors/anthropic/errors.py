"""Errors in Anthropic's format."""

from understudy_proxy.dialects.anthropic import errors
from understudy_proxy.doors.door import Refused


def anthropic_errors(refused: Refused) -> bytes:
    """The body."""
    return errors.render(refused.status, refused.message, code=refused.code, request_id=refused.request_id)
