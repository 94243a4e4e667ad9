"""The doors `/v1/messages` and `/v1/messages/count_tokens`.

Whose credential came with a request, in whichever of the two headers, is nothing that a provider gets.
"""

from understudy_proxy.dialects.anthropic.names import BETA_HEADER, VERSION_HEADER
from understudy_proxy.dialects.anthropic.request import MessagesRequest, read, read_count
from understudy_proxy.doors.door import Answer, Door, Refused, Request

_UNAVAILABLE = 503
_OVERLOADED = 529
"""The vendor's own status for it, which its SDKs tell from all others."""


def read_message(request: Request, body: bytes) -> MessagesRequest:
    """A request for a message."""
    return read(body, version=request.headers.get(VERSION_HEADER), betas=betas(request))


def read_message_to_count(request: Request, body: bytes) -> MessagesRequest:
    """A request for a count."""
    return read_count(body, version=request.headers.get(VERSION_HEADER), betas=betas(request))


def betas(request: Request) -> str | None:
    """The header that may come several times, as one."""
    return ",".join(request.headers.getall(BETA_HEADER, ())) or None


class Overloaded:
    """A door that says in the vendor's own way that a provider is overloaded, where the provider said it so."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, request: Request) -> Answer | None:
        """Answer."""
        try:
            return await self._door(request)
        except Refused as refused:
            if (refused.status, refused.upstream_status) == (_UNAVAILABLE, _OVERLOADED):
                refused.status = _OVERLOADED
            raise
