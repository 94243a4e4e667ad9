"""From a validated snapshot to a `Runtime`: everything that can be computed before the first request is.

Total: a provider that cannot be used (its credential is missing, its URL or CA bundle is wrong) is left out with its
candidates and named in `Runtime.out`; it never refuses the rest of the configuration.
"""

from collections.abc import Mapping

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from understudy_api.config import (
    AuthHeader,
    Backend,
    Credentials,
    OnInterruption,
    Provider,
    RetryPolicy,
    Rule,
    SessionPolicy,
    Snapshot,
    Strategy,
    Target,
    TargetKind,
)
from understudy_proxy.config.runtime import Candidate, Runtime, RuntimeRule, RuntimeTarget, Upstream
from understudy_proxy.config.sending import Unusable, credential, secret_value, sendable, url_of, visible
from understudy_proxy.config.tools import build_tools
from understudy_proxy.config.trust import BadCertificate, context_for
from understudy_proxy.exchange.credentials import CloudCredentials, UnusableIdentity, credentials_for, references
from understudy_proxy.routing.names import index_names
from understudy_proxy.routing.vendors import by_vendor

_DIRECT_RETRY = RetryPolicy()
_USUAL_SESSION = SessionPolicy()
_NOWHERE = URL("http://localhost")
_EVERY_REQUEST = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "understudy"}
"""Identity: a compressed answer would have to be unpacked to be read, and a stream would come in lumps."""


def build(snapshot: Snapshot, *, now: float) -> Runtime:
    """Make `snapshot` ready for requests; `now` is seconds since the epoch."""
    upstreams: dict[str, Upstream] = {}
    out: dict[str, str] = {}
    for key, provider in snapshot.config.providers.items():
        try:
            upstreams[key] = _upstream(key, provider, snapshot.credentials)
        except Unusable as reason:
            out[key] = str(reason)
    return Runtime(
        revision=snapshot.config.revision,
        targets={key: _target(key, target, upstreams) for key, target in snapshot.config.targets.items()},
        tools=build_tools(snapshot),
        index=index_names(
            snapshot.config.names,
            models={key: upstream.candidates for key, upstream in upstreams.items()},
            vendors=by_vendor(upstreams.values()),
        ),
        upstreams=upstreams,
        out=out,
        config=snapshot.config,
        loaded_at=now,
    )


def _upstream(key: str, provider: Provider, credentials: Credentials) -> Upstream:
    candidates: dict[str, Candidate] = {}
    direct: dict[str, RuntimeTarget] = {}
    try:
        context = context_for(provider.tls)
    except BadCertificate as error:
        raise Unusable(str(error)) from error
    upstream = Upstream(
        key=key,
        namespace=provider.namespace,
        name=provider.name,
        type=provider.type,
        system=provider.system,
        dialect=provider.dialect,
        base_url=_NOWHERE if provider.mesh and provider.mesh.own else url_of(provider.base_url, what="base URL"),
        headers=_headers(provider, credentials),
        cloud=_cloud(provider, credentials),
        per_address=provider.per_address,
        max_concurrency=provider.max_concurrency,
        slots=provider.slots,
        timeouts=provider.timeouts,
        health=provider.health,
        ssl=context,
        server_name=provider.tls.server_name if provider.tls else None,
        mesh=provider.mesh,
        visible_to=visible(provider.namespace, provider.visible_to),
        candidates=candidates,
        direct=direct,
    )
    for model in provider.models:
        candidates[model] = _candidate(upstream, provider, model)
        direct[model] = _direct(candidates[model])
    return upstream


def _headers(provider: Provider, credentials: Credentials) -> CIMultiDictProxy[str]:
    headers = CIMultiDict(_EVERY_REQUEST)
    headers.update(sendable(provider.headers))
    if provider.credential is not None:
        secret = credential(provider.credential, credentials)
        bearer = provider.auth_header is AuthHeader.AUTHORIZATION
        headers[provider.auth_header] = f"Bearer {secret}" if bearer else secret
    return CIMultiDictProxy(headers)


def _cloud(provider: Provider, credentials: Credentials) -> CloudCredentials | None:
    if provider.cloud is None:
        return None
    secrets = {ref.name: secret_value(ref.name, credentials) for ref in references(provider.cloud)}
    try:
        return credentials_for(provider.cloud, secrets)
    except UnusableIdentity as error:
        raise Unusable(str(error)) from error


def _candidate(upstream: Upstream, provider: Provider, model: str, *, weight: int = 1, priority: int = 0) -> Candidate:
    served = provider.models[model]
    return Candidate(
        key=f"{upstream.key}:{model}",
        upstream=upstream,
        model=model,
        upstream_model=served.upstream_name,
        capabilities=served.capabilities,
        context_window=served.context_window,
        max_output_tokens=served.max_output_tokens,
        pricing=served.pricing,
        weight=weight,
        priority=priority,
    )


def _direct(candidate: Candidate) -> RuntimeTarget:
    upstream = candidate.upstream
    rule = RuntimeRule(name="", matches=(), tiers=((candidate,),), strategy=Strategy.WEIGHTED)
    return RuntimeTarget(
        key=f"provider/{candidate.key}",
        kind=None,
        namespace=upstream.namespace,
        name=f"{upstream.name}/{candidate.model}",
        label=f"provider/{upstream.key}",
        rules=(rule,),
        requires=frozenset(),
        retry=_DIRECT_RETRY,
        request_timeout_seconds=None,
        on_interruption=OnInterruption.FAIL,
        prompt=None,
        session=_USUAL_SESSION,
        visible_to=upstream.visible_to,
    )


def _target(key: str, target: Target, upstreams: Mapping[str, Upstream]) -> RuntimeTarget:
    label = f"{target.namespace}/{target.name}"
    return RuntimeTarget(
        key=key,
        kind=target.kind,
        namespace=target.namespace,
        name=target.name,
        label=f"persona/{label}" if target.kind is TargetKind.PERSONA else label,
        rules=tuple(_rule(rule, upstreams) for rule in target.rules),
        requires=target.requires,
        retry=target.retry,
        request_timeout_seconds=target.request_timeout_seconds,
        on_interruption=target.on_interruption,
        prompt=target.prompt,
        session=target.session or _USUAL_SESSION,
        visible_to=visible(target.namespace, target.visible_to),
    )


def _rule(rule: Rule, upstreams: Mapping[str, Upstream]) -> RuntimeRule:
    tiers: dict[int, list[Candidate]] = {}
    for backend in rule.backends:
        candidate = _backend(backend, upstreams)
        if candidate is not None:
            tiers.setdefault(backend.priority, []).append(candidate)
    return RuntimeRule(
        name=rule.name,
        matches=rule.matches,
        tiers=tuple(tuple(tiers[priority]) for priority in sorted(tiers)),
        strategy=rule.strategy,
    )


def _backend(backend: Backend, upstreams: Mapping[str, Upstream]) -> Candidate | None:
    """The shared plain candidate where weight and priority are the usual ones, else one of its own."""
    upstream = upstreams.get(backend.provider)
    plain = upstream.candidates.get(backend.model) if upstream else None
    if plain is None or (plain.weight, plain.priority) == (backend.weight, backend.priority):
        return plain
    return Candidate(
        key=plain.key,
        upstream=plain.upstream,
        model=plain.model,
        upstream_model=plain.upstream_model,
        capabilities=plain.capabilities,
        context_window=plain.context_window,
        max_output_tokens=plain.max_output_tokens,
        pricing=plain.pricing,
        weight=backend.weight,
        priority=backend.priority,
    )
