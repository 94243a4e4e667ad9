"""Errors in Ollama's format, from whatever refuses a request."""

from understudy_proxy.dialects.ollama import errors
from understudy_proxy.doors.door import Refused


def ollama_errors(refused: Refused) -> bytes:
    """The body."""
    return errors.render(refused.message)
