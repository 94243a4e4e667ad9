"""Runtimes for tests: small configurations, built by the code that builds real ones."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from understudy_api.config import (
    Backend,
    Capability,
    Config,
    Credentials,
    Dialect,
    HealthPolicy,
    Match,
    Names,
    Pricing,
    Prompt,
    Provider,
    ProviderModel,
    RetryPolicy,
    Rule,
    Snapshot,
    Strategy,
    Target,
    TargetKind,
)
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Candidate, Runtime, RuntimeTarget
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.plan import Choice, Endpoint

EVERYTHING = frozenset(Capability)
CHAT = Need(frozenset({Capability.CHAT}), 10, stream=False, max_output_tokens=None)


def a_model(
    *,
    upstream_name: str = "gpt-real",
    capabilities: frozenset[Capability] = EVERYTHING,
    context_window: int | None = None,
    max_output_tokens: int | None = None,
    price: tuple[str, str] | None = None,
) -> ProviderModel:
    """A model; `price` is dollars per million tokens of input and output."""
    pricing = None
    if price is not None:
        read, written = Decimal(price[0]), Decimal(price[1])
        pricing = Pricing(input=read, output=written, cached_input=read, cache_write=read, reasoning=written)
    return ProviderModel(
        upstream_name=upstream_name,
        capabilities=capabilities,
        context_window=context_window,
        max_output_tokens=max_output_tokens,
        pricing=pricing,
    )


def a_provider(
    key: str,
    *models: str,
    serves: Mapping[str, ProviderModel] | None = None,
    per_address: bool = False,
    visible_to: tuple[str, ...] | None = None,
    health: HealthPolicy | None = None,
    type: str = "OpenAICompatible",  # noqa: A002 - the field's own name
) -> Provider:
    """A provider `namespace/name` with plain models, or with those of `serves`."""
    namespace, name = key.split("/")
    return Provider(
        namespace=namespace,
        name=name,
        type=type,
        system="openai",
        dialect=Dialect.OPENAI,
        base_url="http://127.0.0.1:9/v1",
        per_address=per_address,
        models={model: a_model() for model in models} if serves is None else dict(serves),
        visible_to=visible_to,
        health=health or HealthPolicy(),
    )


def a_rule(
    *backends: Backend,
    name: str = "all",
    matches: tuple[Match, ...] = (),
    strategy: Strategy = Strategy.WEIGHTED,
) -> Rule:
    """A rule."""
    return Rule(name=name, matches=matches, backends=backends, strategy=strategy)


def a_backend(provider: str, model: str, *, weight: int = 1, priority: int = 0) -> Backend:
    """A model at a provider."""
    return Backend(provider=provider, model=model, weight=weight, priority=priority)


def a_target(
    key: str,
    *rules: Rule,
    kind: TargetKind = TargetKind.ROUTE,
    visible_to: tuple[str, ...] | None = None,
    requires: frozenset[Capability] = frozenset(),
    retry: RetryPolicy | None = None,
    prompt: Prompt | None = None,
) -> Target:
    """A route, or a persona, `namespace/name`."""
    namespace, name = key.split("/")
    return Target(
        kind=kind,
        namespace=namespace,
        name=name,
        rules=rules,
        visible_to=visible_to,
        requires=requires,
        retry=retry or RetryPolicy(),
        prompt=prompt,
    )


def a_runtime(*providers: Provider, targets: Iterable[Target] = (), names: Names | None = None) -> Runtime:
    """A runtime. Without `names`, routes and personas are found by their own names, providers by theirs."""
    by_key = {f"{target.kind.value}/{target.namespace}/{target.name}": target for target in targets}
    exact: dict[str, tuple[str, ...]] = {}
    personas: dict[str, tuple[str, ...]] = {}
    by_provider: dict[str, tuple[str, ...]] = {}
    for key, target in by_key.items():
        table = personas if target.kind is TargetKind.PERSONA else exact
        table[target.name] = (*table.get(target.name, ()), key)
    for provider in providers:
        key = f"{provider.namespace}/{provider.name}"
        by_provider[provider.name] = (*by_provider.get(provider.name, ()), key)
    config = Config(
        revision="r1",
        providers={f"{provider.namespace}/{provider.name}": provider for provider in providers},
        targets=by_key,
        names=names or Names(exact=exact, personas=personas, providers=by_provider),
    )
    return build(Snapshot(config=config, credentials=Credentials(revision="r1", values={})), now=0.0)


def the_target(runtime: Runtime) -> RuntimeTarget:
    """The only target there is."""
    (target,) = runtime.targets.values()
    return target


def a_candidate(key: str, model: ProviderModel | None = None) -> Candidate:
    """The backend `namespace/name:model` by itself."""
    provider, name = key.split(":")
    runtime = a_runtime(a_provider(provider, serves={name: model or a_model()}))
    return runtime.upstreams[provider].candidates[name]


def a_choice(key: str, model: ProviderModel | None = None, *, address: str | None = None) -> Choice:
    """The backend as a choice of a plan."""
    candidate = a_candidate(key, model)
    upstream = candidate.upstream.key
    endpoint = Endpoint(upstream) if address is None else Endpoint(f"{upstream}@{address}", address)
    return Choice(candidate, endpoint, "for a test")
