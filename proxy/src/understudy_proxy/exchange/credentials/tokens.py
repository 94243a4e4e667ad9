"""Tokens that are sent as they are for as long as they last: Google Cloud's and Microsoft Entra's."""

from collections.abc import Callable

from yarl import URL

from understudy_proxy.exchange.credentials.kept import Kept, Lease, NotGiven

EARLY_SECONDS = 300.0
"""A token is renewed so long before it runs out."""
_SPARE_SECONDS = 15.0
"""And not sent any more in its last seconds: it must still hold where it arrives, by another clock."""


def lasting(token: str, *, now: float, until: float) -> Lease[str]:
    """A token that runs out at `until`; one that does not last long is renewed after half of its time.

    Raises:
        NotGiven: it has run out, or would break the request that carries it.
    """
    end = until - _SPARE_SECONDS
    if end <= now:
        raise NotGiven("the one that was given has run out already")
    if not fits_a_header(token):
        raise NotGiven("the one that was given holds characters that no header carries")
    return Lease(token, renew_at=max(until - EARLY_SECONDS, (now + end) / 2), until=end)


def fits_a_header(text: str) -> bool:
    """Whether a request can carry it. Whoever gives out tokens must not be able to write headers, or requests."""
    return text.isascii() and text.isprintable()


class TokenCredentials:
    """A bearer token."""

    def __init__(self, fetch: Callable[[float], Lease[str]], *, what: str) -> None:
        """`fetch` gets a token, in a thread; `what` names it for people."""
        self._kept = Kept(fetch, what=what)

    async def headers(self, method: str, url: URL, body: bytes, *, now: float) -> tuple[tuple[str, str], ...]:  # noqa: ARG002 - a token is the same for all
        """The authorization header."""
        return (("authorization", f"Bearer {await self._kept.get(now)}"),)
