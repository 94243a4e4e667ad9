"""Google Cloud's tokens, by its own library: a service account's, or those of the place where the proxy runs."""

import functools
import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from understudy_api.config import GCPIdentity
from understudy_proxy.exchange.credentials.kept import Lease
from understudy_proxy.exchange.credentials.libraries import library
from understudy_proxy.exchange.credentials.protocol import UnusableIdentity
from understudy_proxy.exchange.credentials.tokens import TokenCredentials, lasting

_EXTRA = "gcp"
_CALL_SECONDS = 4.0
"""One call to the token server; the library makes up to three."""


def gcp_credentials(identity: GCPIdentity, secrets: Mapping[str, str]) -> TokenCredentials:
    """Credentials of a service account, or of the environment when there is none.

    Raises:
        UnusableIdentity: google-auth is not installed, or the key is none.
    """
    auth = library("google.auth", extra=_EXTRA)
    requests = library("google.auth.transport.requests", extra=_EXTRA)
    scopes = list(identity.scopes)
    account = _account(secrets[identity.service_account.name], scopes) if identity.service_account else None

    @functools.cache
    def environment() -> Any:
        """To look for a metadata server takes seconds where there is none."""
        return auth.default(scopes=scopes)[0]

    def fetch(now: float) -> Lease[str]:
        credentials = account or environment()
        credentials.refresh(functools.partial(requests.Request(), timeout=_CALL_SECONDS))
        return lasting(credentials.token, now=now, until=credentials.expiry.replace(tzinfo=UTC).timestamp())

    return TokenCredentials(fetch, what="Google Cloud token")


def _account(key: str, scopes: list[str]) -> Any:
    service_account = library("google.oauth2.service_account", extra=_EXTRA)
    try:
        return service_account.Credentials.from_service_account_info(json.loads(key), scopes=scopes)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the words of its parser may quote the key
        message = "its service account key cannot be read: put in the JSON file as Google Cloud gave it out"
        raise UnusableIdentity(message) from None
