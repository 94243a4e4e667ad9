"""One credentials object for each identity, shared by every configuration that names it.

A reload must not cost a new token, so an object is kept for as long as any runtime holds it, and no longer.
"""

from collections.abc import Mapping
from weakref import WeakValueDictionary

from understudy_api.config import AWSIdentity, CloudIdentity, CredentialRef, GCPIdentity
from understudy_proxy.exchange.credentials.aws import AWSCredentials
from understudy_proxy.exchange.credentials.azure import azure_credentials
from understudy_proxy.exchange.credentials.gcp import gcp_credentials
from understudy_proxy.exchange.credentials.protocol import CloudCredentials
from understudy_proxy.exchange.credentials.tokens import TokenCredentials

_in_use: WeakValueDictionary[tuple[CloudIdentity, tuple[str, ...]], AWSCredentials | TokenCredentials] = (
    WeakValueDictionary()
)


def credentials_for(identity: CloudIdentity, secrets: Mapping[str, str]) -> CloudCredentials:
    """The credentials of an identity; `secrets` holds at least the values that it refers to.

    Imports the cloud's library, which takes up to a second, once.

    Raises:
        UnusableIdentity: the library is not installed, or a secret is not what it should be.
    """
    key = (identity, tuple(secrets[ref.name] for ref in references(identity)))
    made = _in_use.get(key)
    if made is None:
        made = _in_use[key] = _made(identity, secrets)
    return made


def references(identity: CloudIdentity) -> tuple[CredentialRef, ...]:
    """What an identity needs of the secrets."""
    values = (getattr(identity, name) for name in type(identity).model_fields)
    return tuple(value for value in values if isinstance(value, CredentialRef))


def _made(identity: CloudIdentity, secrets: Mapping[str, str]) -> AWSCredentials | TokenCredentials:
    if isinstance(identity, AWSIdentity):
        return AWSCredentials(identity, secrets)
    if isinstance(identity, GCPIdentity):
        return gcp_credentials(identity, secrets)
    return azure_credentials(identity, secrets)
