"""How both clients speak HTTP: one set of timeouts and headers for each request."""

import ssl
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import TypedDict

import httpx2

from understudy.client._settings import Settings

CONNECT_SECONDS = 5.0


class HttpOptions(TypedDict):
    """What either of httpx2's clients is made with."""

    base_url: str
    headers: Mapping[str, str]
    timeout: httpx2.Timeout
    limits: httpx2.Limits
    verify: ssl.SSLContext


def http_options(settings: Settings, headers: Mapping[str, str] | None) -> HttpOptions:
    """Silence may last as long as the settings say; waiting for a free connection may last as long as it takes."""
    return HttpOptions(
        base_url=settings.url,
        headers={"user-agent": f"understudy-python/{version('understudy')}", **(headers or {})},
        timeout=httpx2.Timeout(settings.timeout, connect=min(CONNECT_SECONDS, settings.timeout), pool=None),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=32),
        verify=_tls(),
    )


def authorization(settings: Settings) -> dict[str, str]:
    """Who calls, as it is known now."""
    token = settings.credential.bearer()
    return {"authorization": f"Bearer {token}"} if token else {}


@cache
def _tls() -> ssl.SSLContext:
    """Reading all certificates takes as long as a short answer, so it is done once."""
    return httpx2.create_ssl_context()
