"""LLMRoutes: the names that apps ask for, and the rules behind them."""

from collections.abc import Iterable, Mapping

from understudy_api.config import OnInterruption, RetryOn, RetryPolicy, Rule, Target, TargetKind
from understudy_api.v1alpha1 import LLMRoute
from understudy_api.v1alpha1.route import Backoff, LLMRouteSpec
from understudy_operator.compile.backends import Directory
from understudy_operator.compile.durations import to_seconds
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.names import Claim, Settled, settle
from understudy_operator.compile.pending import warn_of_pending
from understudy_operator.compile.reading import Item
from understudy_operator.compile.report import Report
from understudy_operator.compile.rules import compile_rules
from understudy_operator.compile.targets import (
    DEFAULT_ACCESS,
    CompiledTarget,
    CompiledTargets,
    default_attempts,
    refuse_rbac,
    report_lost_names,
    report_nothing_left,
)
from understudy_operator.compile.verdict import Reason

PERSONA_PREFIX = "persona/"
_RETRY = RetryPolicy()


def compile_routes(items: Mapping[NamespacedName, Item[LLMRoute]], directory: Directory) -> CompiledTargets:
    """All routes: who may have which name first, then what is behind it."""
    for item in items.values():
        warn_of_pending(item.report, item.resource)
        refuse_rbac(item.report, item.resource.spec.access)
    accepted = [item for item in items.values() if item.report.accepted]
    settled = settle(claim for item in accepted for claim in _claims(item))
    for item in accepted:
        report_lost_names(item.report, settled)
    routes = {at: _compile_route(item, settled, directory) for at, item in items.items()}
    return CompiledTargets(routes, settled)


def _claims(item: Item[LLMRoute]) -> Iterable[Claim]:
    models = item.resource.spec.models
    if not models:
        yield Claim(item.key.name, item.key, item.age, "metadata.name")
    for index, model in enumerate(models):
        field = f"spec.models[{index}].name"
        if model.name.startswith(PERSONA_PREFIX):
            message = f"{model.name} is left out: names that begin with {PERSONA_PREFIX} lead to Personas"
            item.report.error(Reason.INVALID, field, message)
        else:
            yield Claim(model.name, item.key, item.age, field)


def _compile_route(item: Item[LLMRoute], settled: Settled, directory: Directory) -> CompiledTarget:
    spec, report, namespace = item.resource.spec, item.report, item.key.namespace
    access = spec.access or DEFAULT_ACCESS
    rules = compile_rules(report, spec.rules, directory, namespace=namespace)
    names = settled.names.get(item.key, ())
    if report.accepted and not names:
        report.refuse(Reason.INVALID, "spec.models", "leaves the route without a name")
    if not report.accepted:
        return CompiledTarget(item.key, report, access)
    if not rules:
        report_nothing_left(report, "spec.rules")
    target = Target(
        kind=TargetKind.ROUTE,
        namespace=namespace,
        name=item.key.name,
        rules=rules,
        retry=_retry(report, spec, rules),
        request_timeout_seconds=_request_timeout(report, spec),
        on_interruption=OnInterruption(spec.stream.on_interruption) if spec.stream else OnInterruption.FAIL,
        visible_to=directory.namespaces.visible_to(access, of=namespace),
    )
    return CompiledTarget(item.key, report, access, target, names)


def _request_timeout(report: Report, spec: LLMRouteSpec) -> float | None:
    if spec.timeouts is None or spec.timeouts.request is None:
        return None
    seconds = to_seconds(spec.timeouts.request)
    if seconds > 0:
        return seconds
    report.error(Reason.INVALID, "spec.timeouts.request", "must be longer than 0s; it is left out")
    return None


def _retry(report: Report, spec: LLMRouteSpec, rules: tuple[Rule, ...]) -> RetryPolicy:
    """The bounds on attempts. Not said, they let every backend of the longest rule have its turn."""
    given = spec.retry
    attempts = default_attempts(rules)
    if given is None:
        return RetryPolicy(attempts=attempts)
    backoff = given.backoff or Backoff()
    base, longest = to_seconds(backoff.base), to_seconds(backoff.max)
    if longest < base:
        report.error(Reason.INVALID, "spec.retry.backoff.max", "is shorter than base, which is used instead")
    return RetryPolicy(
        attempts=given.attempts or attempts,
        base_seconds=base,
        max_seconds=max(base, longest),
        retry_on=_RETRY.retry_on if given.retry_on is None else frozenset(RetryOn(each) for each in given.retry_on),
        budget_percent=_RETRY.budget_percent if given.budget_percent is None else given.budget_percent,
    )
