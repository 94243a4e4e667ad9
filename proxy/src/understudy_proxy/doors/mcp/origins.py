"""Which web pages may ask: browsers say whose script sends a request, and nobody else does.

Without this any page that somebody looks at could use the gateways within reach of the browser, by a name of its own
that suddenly leads to their addresses. Pages from the same machine are trusted; others are once they are named.
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports#security-warning
"""

import re
from collections.abc import Collection

from understudy_proxy.doors.door import Answer, Headers, Refused, Request

ANY = "*"
_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_SHOWN = 128
_ASKABLE = (
    "authorization, content-type, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id, traceparent, tracestate, "
    "x-request-id, x-session-id"
)
_READABLE = "x-request-id, x-understudy-route, x-understudy-provider, x-understudy-model, x-understudy-reason"


def origins_in(setting: str) -> frozenset[str]:
    """The origins that a setting lists between commas or spaces."""
    return frozenset(origin.rstrip("/").lower() for origin in re.split(r"[\s,]+", setting) if origin)


class Origins:
    """Tells pages apart."""

    def __init__(self, allowed: Collection[str]) -> None:
        """Let pages of the origins `allowed` ask, and those of this machine; `*` is any page."""
        self._allowed = allowed

    def check(self, request: Request) -> Headers:
        """The headers by which a browser lets the page read the answer; none where no browser asks.

        Raises:
            Refused: the page is not among those that may ask.
        """
        origins = request.headers.getall("origin", ())
        if not origins:
            return ()
        if len(origins) == 1 and self._trusted(origins[0]):
            return (
                ("access-control-allow-origin", origins[0]),
                ("access-control-expose-headers", _READABLE),
                ("vary", "origin"),
            )
        shown = ", ".join(origins)[:_SHOWN]
        raise Refused(
            403,
            f"Pages from {shown!r} may not ask here. Name their origin in UNDERSTUDY_MCP_ORIGINS to let them.",
            code="origin_not_allowed",
            reason="origin",
        )

    async def preflight(self, request: Request) -> Answer:
        """What a browser asks before it sends a page's request."""
        granted = self.check(request)
        allowed: Headers = (("allow", "POST, OPTIONS"),)
        if granted:
            allowed += (
                ("access-control-allow-methods", "POST"),
                ("access-control-allow-headers", _ASKABLE),
                ("access-control-max-age", "600"),
            )
        return Answer(200, headers=(*granted, *allowed))

    def _trusted(self, origin: str) -> bool:
        return ANY in self._allowed or origin.lower() in self._allowed or _LOOPBACK.fullmatch(origin) is not None
