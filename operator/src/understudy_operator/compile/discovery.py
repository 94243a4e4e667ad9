"""`spec.discovery`: what a server says of its models, what is said of that, and the question to put to it.

What the object says wins, field by field, and what it lists is served whether the server lists it or not: a server that
starts, or loads another model, must not take names out of the configuration.
"""

from collections.abc import Mapping

from understudy_api.config import Provider
from understudy_api.v1alpha1.provider import LLMProviderSpec, ProviderType
from understudy_operator.compile.discovered import MAX_MODELS, Discovered, Inquiry
from understudy_operator.compile.durations import to_seconds
from understudy_operator.compile.inputs import Inputs, NamespacedName
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason

SELF_HOSTED = frozenset(
    {ProviderType.VLLM, ProviderType.LLAMA_CPP, ProviderType.OLLAMA, ProviderType.OPENAI_COMPATIBLE}
)
"""Types whose servers say which models they have. A vendor's list says nothing of prices and windows."""
_AT = "spec.discovery"


def is_asked(spec: LLMProviderSpec) -> bool:
    """Whether the provider's server is asked for its models."""
    return spec.discovery is not None and spec.type in SELF_HOSTED


def check_models(report: Report, spec: LLMProviderSpec) -> None:
    """Refuse a provider that can have no models; say so where discovery does nothing."""
    if spec.discovery is not None and spec.type not in SELF_HOSTED:
        types = ", ".join(sorted(SELF_HOSTED))
        report.warn(Reason.NOT_IN_EFFECT, _AT, f"is for servers of one's own ({types}): {spec.type} is not asked")
    if not spec.models and not is_asked(spec) and spec.type is not ProviderType.MESH:
        report.refuse(Reason.INVALID, "spec.models", "must name at least one model")


def look_up(
    report: Report, spec: LLMProviderSpec, inputs: Inputs, *, at: NamespacedName, base_url: str
) -> Discovered | None:
    """What the provider's server has said, at this address; None where it is not asked, or was not yet."""
    found = inputs.discovered.get(at)
    if spec.discovery is None or not is_asked(spec) or found is None or found.base_url != base_url:
        return None
    if found.failure:
        kept = "the models that it listed before are kept" if found.models else "only spec.models is served meanwhile"
        message = f"{base_url} {found.failure}; it is asked again every {spec.discovery.interval}, and {kept}"
        report.warn(Reason.DISCOVERY_FAILED, _AT, message)
    if found.left_out:
        message = f"{base_url} lists {MAX_MODELS + found.left_out} models; only the first {MAX_MODELS} are served"
        report.warn(Reason.TOO_MANY, _AT, message)
    if found.models is not None:
        _warn_of_absent(report, spec, found)
    return found


def slots_of(spec: LLMProviderSpec, discovered: Discovered | None) -> int | None:
    """How many requests each endpoint works on at once, as its server says; what the object says takes its place."""
    given = spec.limits.concurrency if spec.limits else None
    return None if given is not None or discovered is None else discovered.slots


def inquiry_of(spec: LLMProviderSpec, provider: Provider, secrets: Mapping[str, str]) -> Inquiry | None:
    """How to ask the provider's server, if it is to be asked: as a request to it would."""
    if spec.discovery is None or not is_asked(spec):
        return None
    headers = dict(provider.headers)
    if provider.credential is not None:
        headers["Authorization"] = f"Bearer {secrets[provider.credential.name]}"
    return Inquiry(
        provider=(provider.namespace, provider.name),
        type=spec.type,
        base_url=provider.base_url,
        interval_seconds=to_seconds(spec.discovery.interval),
        connect_seconds=provider.timeouts.connect_seconds,
        headers=headers,
        tls=provider.tls,
    )


def _warn_of_absent(report: Report, spec: LLMProviderSpec, found: Discovered) -> None:
    for index, model in enumerate(spec.models):
        asked_for = model.upstream_name or model.name
        if found.find(asked_for) is None:
            message = f"the server does not list {asked_for} now; it is asked for it all the same"
            report.warn(Reason.MODEL_NOT_LISTED, f"spec.models[{index}]", message)
