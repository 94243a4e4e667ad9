"""LLMProviders: where models run, compiled to what a proxy needs to call them."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy_api.config import TLS, CredentialRef, Provider, digest
from understudy_api.v1alpha1 import LLMProvider
from understudy_api.v1alpha1.meta import AllowedNamespaces
from understudy_api.v1alpha1.provider import Auth
from understudy_operator.compile.addresses import address_of
from understudy_operator.compile.headers import compile_headers
from understudy_operator.compile.health import compile_health, compile_timeouts
from understudy_operator.compile.inputs import Inputs, NamespacedName
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.models import compile_models
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.pending import warn_of_pending
from understudy_operator.compile.reading import Item
from understudy_operator.compile.sources import Credential, read_credential
from understudy_operator.compile.trust import compile_tls
from understudy_operator.compile.vendors import VENDORS, Vendor
from understudy_operator.compile.verdict import Reason, Verdict

_DEFAULT_OPENNESS = AllowedNamespaces()


@dataclass(frozen=True, slots=True)
class CompiledProvider:
    """A readable LLMProvider, and its part of the configuration unless it is out."""

    item: Item[LLMProvider]
    config: Provider | None = None
    credential: Credential | None = None
    """By the name that `config.credential` has."""

    @property
    def openness(self) -> AllowedNamespaces:
        """Who may refer to it."""
        return self.item.resource.spec.allowed_namespaces or _DEFAULT_OPENNESS

    def verdict(self) -> Verdict:
        """The verdict on the object."""
        return self.item.report.verdict(digest=digest(self.config) if self.config else "")


def compile_providers(
    items: Mapping[NamespacedName, Item[LLMProvider]], inputs: Inputs, namespaces: Namespaces
) -> dict[NamespacedName, CompiledProvider]:
    """All providers, served or not."""
    return {at: _compile_provider(item, inputs, namespaces) for at, item in items.items()}


def _compile_provider(item: Item[LLMProvider], inputs: Inputs, namespaces: Namespaces) -> CompiledProvider:
    spec, report, namespace = item.resource.spec, item.report, item.key.namespace
    warn_of_pending(report, item.resource)
    vendor = VENDORS.get(spec.type)
    if vendor is None:
        message = f"{spec.type} is not served by this version; it serves {', '.join(sorted(VENDORS))}"
        report.refuse(Reason.UNSUPPORTED_VALUE, "spec.type", message)
        return CompiledProvider(item)
    if not spec.models and spec.discovery is None:
        report.refuse(Reason.INVALID, "spec.models", "must name at least one model")
    address = address_of(report, spec, vendor, namespace=namespace)
    headers = compile_headers(report, spec.headers)
    credential = _credential(item, inputs, vendor)
    tls = _tls(item, inputs)
    timeouts, health = compile_timeouts(report, spec.timeouts), compile_health(report, spec.health)
    if not report.accepted or address is None or isinstance(credential, Missing) or isinstance(tls, Missing):
        return CompiledProvider(item)
    config = Provider(
        namespace=namespace,
        name=item.key.name,
        type=spec.type,
        system=vendor.system,
        dialect=vendor.dialect,
        base_url=address.base_url,
        per_address=address.per_address,
        credential=_credential_ref(spec.auth, credential, namespace=namespace),
        headers=headers,
        models=compile_models(spec),
        max_concurrency=spec.limits.concurrency if spec.limits else None,
        timeouts=timeouts,
        health=health,
        tls=tls,
        visible_to=namespaces.visible_to(spec.allowed_namespaces or _DEFAULT_OPENNESS, of=namespace),
    )
    return CompiledProvider(item, config, credential)


def _credential(item: Item[LLMProvider], inputs: Inputs, vendor: Vendor) -> Credential | Missing | None:
    """The key to sign in with; None where none is wanted, or where another error says why there is none."""
    spec, report = item.resource.spec, item.report
    if spec.auth is None:
        if vendor.base_url and not spec.base_url and not spec.service_ref:
            message = f"is missing, and {spec.type} wants a key: set spec.auth.apiKey, or spec.auth.none to go without"
            report.warn(Reason.NO_CREDENTIAL, "spec.auth", message)
        return None
    if spec.auth.api_key is None:
        return None
    ref = spec.auth.api_key.secret_key_ref
    found = read_credential(inputs, (item.key.namespace, ref.name), key=ref.key)
    if isinstance(found, Missing):
        report.unresolved("spec.auth.apiKey.secretKeyRef", found)
    return found


def _credential_ref(auth: Auth | None, credential: Credential | None, *, namespace: str) -> CredentialRef | None:
    if credential is None or auth is None or auth.api_key is None:
        return None
    ref = auth.api_key.secret_key_ref
    return CredentialRef(name=f"{namespace}/{ref.name}/{ref.key}", version=credential.version)


def _tls(item: Item[LLMProvider], inputs: Inputs) -> TLS | Missing | None:
    spec = item.resource.spec
    if spec.tls is None:
        return None
    tls = compile_tls(inputs, spec.tls, namespace=item.key.namespace)
    if isinstance(tls, Missing):
        item.report.unresolved("spec.tls.caBundleRef", tls)
    return tls
