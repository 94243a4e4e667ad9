"""What the exchange asks of a cloud: the headers that make one request its own."""

from typing import Protocol

from yarl import URL


class CloudCredentials(Protocol):
    """Somebody whom a cloud knows. One object lives as long as any configuration names it, and needs no closing."""

    async def headers(self, method: str, url: URL, body: bytes, *, now: float) -> tuple[tuple[str, str], ...]:
        """What to send beside everything else; names are lower case. Quick, unless there is nothing valid yet.

        Args:
            method: As it is sent.
            url: As it is sent: scheme, host, and the escaped path and query.
            body: The very bytes that are sent.
            now: Seconds since the epoch.

        Raises:
            UpstreamError: there is no credential, of kind AUTHENTICATION. The message is for the provider's owner.
        """


class UnusableIdentity(Exception):
    """Nobody can sign in like this, now or later. The message says why and what to do, and shows no secret."""
