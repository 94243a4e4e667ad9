"""LLMProviders: where models run, compiled to what a proxy needs to call them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy_api.config import TLS, Provider, digest
from understudy_api.v1alpha1 import LLMProvider
from understudy_api.v1alpha1.meta import AllowedNamespaces
from understudy_operator.compile.addresses import address_of
from understudy_operator.compile.discovered import Inquiry
from understudy_operator.compile.discovery import check_models, inquiry_of, look_up, slots_of
from understudy_operator.compile.headers import compile_headers, with_defaults
from understudy_operator.compile.health import compile_health, compile_timeouts
from understudy_operator.compile.inputs import Inputs, NamespacedName
from understudy_operator.compile.mesh import mesh_source
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.models import compile_models
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.pending import warn_of_pending
from understudy_operator.compile.reading import Item
from understudy_operator.compile.signing_in import compile_sign_in
from understudy_operator.compile.trust import compile_tls
from understudy_operator.compile.vendors import VENDORS
from understudy_operator.compile.verdict import Reason, Verdict

_DEFAULT_OPENNESS = AllowedNamespaces()


@dataclass(frozen=True, slots=True)
class CompiledProvider:
    """A readable LLMProvider, and its part of the configuration unless it is out."""

    item: Item[LLMProvider]
    config: Provider | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secret values by the names that `config` has for them."""
    inquiry: Inquiry | None = None
    """How to ask its server for its models, if that is wanted."""

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
    check_models(report, spec)
    address = address_of(report, spec, vendor, namespace=namespace)
    given = spec.headers.set if spec.headers else {}
    headers = compile_headers(report, given, at=("spec", "headers", "set"), sign_in="spec.auth")
    sign_in = compile_sign_in(report, inputs, spec, vendor, namespace=namespace)
    tls = _tls(item, inputs)
    timeouts, health = compile_timeouts(report, spec.timeouts, vendor), compile_health(report, spec.health, vendor)
    if not report.accepted or address is None or sign_in is None or isinstance(tls, Missing):
        return CompiledProvider(item)
    at = (namespace, item.key.name)
    discovered = look_up(report, spec, inputs, at=at, base_url=address.base_url)
    config = Provider(
        namespace=namespace,
        name=item.key.name,
        type=spec.type,
        system=vendor.system,
        dialect=vendor.dialect,
        base_url=address.base_url,
        per_address=address.per_address,
        credential=sign_in.credential,
        auth_header=vendor.auth_header,
        cloud=sign_in.cloud,
        headers=with_defaults(headers, sign_in.headers),
        models=compile_models(spec, discovered),
        max_concurrency=spec.limits.concurrency if spec.limits else None,
        slots=slots_of(spec, discovered),
        timeouts=timeouts,
        health=health,
        tls=tls,
        mesh=mesh_source(spec),
        visible_to=namespaces.visible_to(spec.allowed_namespaces or _DEFAULT_OPENNESS, of=namespace),
    )
    return CompiledProvider(item, config, sign_in.values, inquiry_of(spec, config, sign_in.values))


def _tls(item: Item[LLMProvider], inputs: Inputs) -> TLS | Missing | None:
    spec = item.resource.spec
    if spec.tls is None:
        return None
    tls = compile_tls(inputs, spec.tls, namespace=item.key.namespace)
    if isinstance(tls, Missing):
        item.report.unresolved("spec.tls.caBundleRef", tls)
    return tls
