"""Errors as Ollama's clients understand them: a text."""

import orjson

from understudy_proxy.failure import UpstreamFailure


def render(message: str) -> bytes:
    """The body of an error answer."""
    return orjson.dumps({"error": message})


def in_stream(failure: UpstreamFailure) -> bytes:
    """The line that tells a client its stream was interrupted.

    The provider's own message stays out: the client cannot act on it, and it may speak of what is behind the gateway.
    """
    return render(f"The provider's stream was interrupted ({failure.kind}): the answer is not complete.") + b"\n"
