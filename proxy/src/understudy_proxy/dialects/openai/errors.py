"""Errors as OpenAI's clients understand them."""

from understudy_proxy.exchange.failure import UpstreamFailure


def render(
    message: str,
    *,
    type: str,  # noqa: A002 - the field's own name
    code: str | None = None,
    param: str | None = None,
) -> bytes:
    """The body of an error answer."""
    raise NotImplementedError


def in_stream(failure: UpstreamFailure) -> bytes:
    """The event that tells a client its stream was interrupted; no `[DONE]` follows."""
    raise NotImplementedError
