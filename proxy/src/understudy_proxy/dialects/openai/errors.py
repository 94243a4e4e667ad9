"""Errors as OpenAI's clients understand them."""

import orjson

from understudy_proxy.failure import UpstreamFailure

INTERRUPTED = "stream_interrupted"


def render(
    message: str,
    *,
    type: str,  # noqa: A002 - the field's own name
    code: str | None = None,
    param: str | None = None,
) -> bytes:
    """The body of an error answer."""
    return orjson.dumps({"error": {"message": message, "type": type, "param": param, "code": code}})


def in_stream(failure: UpstreamFailure) -> bytes:
    """The event that tells a client its stream was interrupted; no `[DONE]` follows.

    The provider's own message stays out: the client cannot act on it, and it may speak of what is behind the gateway.
    """
    message = f"The provider's stream was interrupted ({failure.kind}): the answer is not complete."
    return b"data: " + render(message, type="upstream_error", code=INTERRUPTED) + b"\n\n"
