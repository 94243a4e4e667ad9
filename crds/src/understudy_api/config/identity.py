"""Who a proxy is at a provider: somebody with a key, or somebody whom a cloud knows.

A key is sent as it is. A cloud identity is what changing credentials are made from: signatures of each request, or
tokens that last an hour.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from understudy_api.config.base import ConfigModel


class CredentialRef(ConfigModel):
    """A key into `Credentials`, with a version that changes whenever the secret value does."""

    name: str
    version: str


class AuthHeader(StrEnum):
    """The header that carries a key; only in `authorization` does the word `Bearer` come before it."""

    AUTHORIZATION = "authorization"
    X_API_KEY = "x-api-key"
    X_GOOG_API_KEY = "x-goog-api-key"
    API_KEY = "api-key"


class AWSIdentity(ConfigModel):
    """Whose AWS Signature Version 4 requests carry: that of static keys, else of the proxy's own environment."""

    cloud: Literal["aws"]
    region: str
    access_key_id: CredentialRef | None = None
    secret_access_key: CredentialRef | None = None
    """Given together with `access_key_id`."""
    session_token: CredentialRef | None = None
    role_arn: str | None = None
    """The role to assume, without static keys. None: the one in the proxy's environment."""


class GCPIdentity(ConfigModel):
    """Whose Google Cloud tokens requests carry: a service account's, else those of the proxy's own environment."""

    cloud: Literal["gcp"]
    service_account: CredentialRef | None = None
    """Its key, in JSON."""
    scopes: tuple[str, ...] = ("https://www.googleapis.com/auth/cloud-platform",)


class AzureIdentity(ConfigModel):
    """Whose Microsoft Entra tokens requests carry: an application's, else those of workload identity."""

    cloud: Literal["azure"]
    tenant_id: str | None = None
    """None, as for `client_id`: the one in the proxy's environment."""
    client_id: str | None = None
    client_secret: CredentialRef | None = None
    scope: str = "https://cognitiveservices.azure.com/.default"


CloudIdentity = Annotated[AWSIdentity | GCPIdentity | AzureIdentity, Field(discriminator="cloud")]
