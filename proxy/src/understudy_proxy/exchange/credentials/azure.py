"""Microsoft Entra's tokens, by its own library: an application's, or those of workload identity."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from understudy_api.config import AzureIdentity
from understudy_proxy.exchange.credentials.kept import Lease, NotGiven
from understudy_proxy.exchange.credentials.libraries import library
from understudy_proxy.exchange.credentials.tokens import TokenCredentials, lasting

_CALL_SECONDS = 5.0
_PUBLIC_CLOUD = "https://login.microsoftonline.com"


def azure_credentials(identity: AzureIdentity, secrets: Mapping[str, str]) -> TokenCredentials:
    """Credentials of an application, by its secret or by the token that Kubernetes gives the proxy.

    What the identity leaves open, the environment says, in the variables that the workload identity webhook sets.

    Raises:
        UnusableIdentity: msal is not installed.
    """
    msal = library("msal", extra="azure")
    secret = secrets[identity.client_secret.name] if identity.client_secret else None

    @cache
    def application() -> Any:
        authority = os.environ.get("AZURE_AUTHORITY_HOST", _PUBLIC_CLOUD).rstrip("/")
        return msal.ConfidentialClientApplication(
            identity.client_id or _variable("AZURE_CLIENT_ID"),
            authority=f"{authority}/{identity.tenant_id or _variable('AZURE_TENANT_ID')}",
            client_credential=secret or {"client_assertion": _federated_token},
            timeout=_CALL_SECONDS,
            # Only the public cloud vouches for others; one that the proxy's owner chose needs nobody to.
            instance_discovery=authority == _PUBLIC_CLOUD,
        )

    def fetch(now: float) -> Lease[str]:
        answer = application().acquire_token_for_client([identity.scope])
        if "access_token" not in answer:
            raise NotGiven(f"{answer.get('error')}: {answer.get('error_description')}")
        return lasting(answer["access_token"], now=now, until=now + float(answer["expires_in"]))

    return TokenCredentials(fetch, what="Microsoft Entra token")


def _federated_token() -> str:
    """Read anew each time: the kubelet renews it."""
    return Path(_variable("AZURE_FEDERATED_TOKEN_FILE")).read_text()


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise NotGiven(f"{name} is not in the proxy's environment: is workload identity set up for its pods?")
    return value
