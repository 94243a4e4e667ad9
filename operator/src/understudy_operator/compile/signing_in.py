"""How a provider is signed in to: with a key, or as somebody whom a cloud knows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from understudy_api.config import AWSIdentity, AzureIdentity, CloudIdentity, CredentialRef, GCPIdentity
from understudy_api.v1alpha1.meta import SecretKeySelector
from understudy_api.v1alpha1.provider import AWSAuth, AzureAuth, GCPAuth, LLMProviderSpec, ProviderType
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.report import Report
from understudy_operator.compile.sources import Credential, read_credential, read_secret_document
from understudy_operator.compile.vendors import Vendor
from understudy_operator.compile.verdict import Reason

_GOOGLE = (".googleapis.com",)
_AZURE = tuple(
    f".{service}.azure.{place}"
    for service in ("openai", "cognitiveservices", "services.ai")
    for place in ("com", "us", "cn")
)
"""Where tokens of the proxy's own may be sent: names that only the cloud itself can give away."""
_ABSENT = frozenset({Reason.SECRET_NOT_FOUND, Reason.KEY_NOT_FOUND})
_BILLED_PROJECT = "x-goog-user-project"
"""A key of the Gemini API belongs to a project; whoever signs in as an account has to say which."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a provider's sign-in comes to. Empty: none.

    Attributes:
        credential: The key that each request carries.
        cloud: What each request's credentials are made from.
        values: The secret values by the names that the references in both have.
        headers: What each request says beside.
    """

    credential: CredentialRef | None = None
    cloud: CloudIdentity | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class _Secrets:
    """The Secrets of one provider's namespace, as its sign-in refers to them; keeps what was read."""

    def __init__(self, report: Report, inputs: Inputs, *, namespace: str) -> None:
        self.values: dict[str, str] = {}
        self.complete = True
        self._report = report
        self._inputs = inputs
        self._namespace = namespace

    def key(self, ref: SecretKeySelector, *, at: str) -> CredentialRef | None:
        """A key that travels in a header."""
        return self._kept(
            ref.name, ref.key, read_credential(self._inputs, (self._namespace, ref.name), key=ref.key), at=at
        )

    def variable(self, secret: str, variable: str, *, at: str, optional: bool = False) -> CredentialRef | None:
        """A key of a Secret whose keys are named like the environment variables of a vendor's tools."""
        found = read_credential(self._inputs, (self._namespace, secret), key=variable)
        if optional and isinstance(found, Missing) and found.reason in _ABSENT:
            return None
        return self._kept(secret, variable, found, at=at)

    def service_account(self, ref: SecretKeySelector, *, at: str) -> CredentialRef | None:
        """A service account's key. Other files that Google's tools read may run programs, and are refused."""
        where = (self._namespace, ref.name)
        found = read_secret_document(self._inputs, where, key=ref.key)
        if isinstance(found, Credential) and not _is_service_account(found.value):
            message = (
                f"Secret {self._namespace}/{ref.name}, key {ref.key}, holds no service account key: "
                'JSON whose type is "service_account", as Google Cloud gives it out once'
            )
            found = Missing(Reason.INVALID_SECRET, message)
        return self._kept(ref.name, ref.key, found, at=at)

    def _kept(self, secret: str, key: str, found: Credential | Missing, *, at: str) -> CredentialRef | None:
        if isinstance(found, Missing):
            self.complete = False
            self._report.unresolved(at, found)
            return None
        name = f"{self._namespace}/{secret}/{key}"
        self.values[name] = found.value
        return CredentialRef(name=name, version=found.version)


def compile_sign_in(
    report: Report, inputs: Inputs, spec: LLMProviderSpec, vendor: Vendor, *, namespace: str
) -> SignIn | None:
    """The provider's sign-in; None when a Secret that it needs is not as it should be, which is reported."""
    if spec.auth is None:
        if vendor.host and not spec.base_url and not spec.service_ref:
            message = f"is missing, and {spec.type} wants a key: set spec.auth.apiKey, or spec.auth.none to go without"
            report.warn(Reason.NO_CREDENTIAL, "spec.auth", message)
        return SignIn()
    secrets = _Secrets(report, inputs, namespace=namespace)
    credential: CredentialRef | None = None
    cloud: CloudIdentity | None = None
    headers: dict[str, str] = {}
    if spec.auth.api_key is not None:
        credential = secrets.key(spec.auth.api_key.secret_key_ref, at="spec.auth.apiKey.secretKeyRef")
    elif spec.auth.aws is not None:
        cloud = _aws(spec.auth.aws, secrets)
    elif spec.auth.gcp is not None:
        cloud = _gcp(spec.auth.gcp, secrets)
        if cloud.service_account is None:
            _keep_at_home(report, spec, _GOOGLE, instead="spec.auth.gcp.secretKeyRef")
        headers = {_BILLED_PROJECT: spec.auth.gcp.project} if spec.type is ProviderType.GEMINI else {}
    elif spec.auth.azure is not None:
        cloud = _azure(spec.auth.azure, secrets)
        if cloud.client_secret is None:
            _keep_at_home(report, spec, _AZURE, instead="spec.auth.azure.clientSecretRef")
    return SignIn(credential, cloud, secrets.values, headers) if secrets.complete else None


def _aws(auth: AWSAuth, secrets: _Secrets) -> AWSIdentity:
    if auth.secret_ref is None:
        role = auth.web_identity.role_arn if auth.web_identity else None
        return AWSIdentity(cloud="aws", region=auth.region, role_arn=role)
    secret, at = auth.secret_ref.name, "spec.auth.aws.secretRef"
    return AWSIdentity(
        cloud="aws",
        region=auth.region,
        access_key_id=secrets.variable(secret, "AWS_ACCESS_KEY_ID", at=at),
        secret_access_key=secrets.variable(secret, "AWS_SECRET_ACCESS_KEY", at=at),
        session_token=secrets.variable(secret, "AWS_SESSION_TOKEN", at=at, optional=True),
    )


def _gcp(auth: GCPAuth, secrets: _Secrets) -> GCPIdentity:
    if auth.secret_key_ref is None:
        return GCPIdentity(cloud="gcp")
    account = secrets.service_account(auth.secret_key_ref, at="spec.auth.gcp.secretKeyRef")
    return GCPIdentity(cloud="gcp", service_account=account)


def _azure(auth: AzureAuth, secrets: _Secrets) -> AzureIdentity:
    at = "spec.auth.azure.clientSecretRef"
    secret = secrets.key(auth.client_secret_ref, at=at) if auth.client_secret_ref else None
    return AzureIdentity(cloud="azure", tenant_id=auth.tenant_id, client_id=auth.client_id, client_secret=secret)


def _keep_at_home(report: Report, spec: LLMProviderSpec, domains: tuple[str, ...], *, instead: str) -> None:
    """Refuse to send tokens of the proxy's own anywhere but to their cloud.

    Whoever may write an LLMProvider may use the proxy's identity, but must not be able to take it along. AWS needs no
    such care: a signature is for one host, and worth nothing at another.
    """
    if spec.base_url is None and spec.service_ref is None:
        return
    parts = urlsplit(spec.base_url or "")
    if parts.scheme == "https" and (parts.hostname or "").endswith(domains):
        return
    field = "spec.serviceRef" if spec.service_ref else "spec.baseURL"
    message = (
        f"leads elsewhere than to https://….{domains[0][1:]}, and the proxy's own identity is not sent there: "
        f"set {instead}, for an identity of the provider's own"
    )
    report.refuse(Reason.UNSUPPORTED_VALUE, field, message)


def _is_service_account(text: str) -> bool:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, Mapping) and document.get("type") == "service_account"
