"""LLMRoutes: the names that apps ask for, and the rules behind them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from understudy_api.config import RetryOn, RetryPolicy, Rule, Target, TargetKind, digest
from understudy_api.v1alpha1 import LLMRoute
from understudy_api.v1alpha1.policy import Access, Authorization
from understudy_api.v1alpha1.route import Backoff, LLMRouteSpec
from understudy_operator.compile.backends import Directory
from understudy_operator.compile.durations import to_seconds
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.names import Claim, Settled, settle
from understudy_operator.compile.pending import warn_of_pending
from understudy_operator.compile.reading import Item
from understudy_operator.compile.rules import compile_rules
from understudy_operator.compile.verdict import Reason, Report, Verdict

DEFAULT_ACCESS = Access()
PERSONA_PREFIX = "persona/"
_RETRY = RetryPolicy()
_MAX_ATTEMPTS = 16
"""As many as `spec.retry.attempts` may say."""


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A readable LLMRoute, and its part of the configuration unless it is not accepted."""

    item: Item[LLMRoute]
    target: Target | None
    names: tuple[str, ...]

    @property
    def access(self) -> Access:
        """Who may use it."""
        return self.item.resource.spec.access or DEFAULT_ACCESS

    def verdict(self) -> Verdict:
        """The verdict on the object."""
        serves = self.target is not None and self.target.rules
        return self.item.report.verdict(digest=digest([self.target, self.names]) if serves else "")


@dataclass(frozen=True, slots=True)
class CompiledRoutes:
    """All routes, and who holds which name."""

    routes: Mapping[NamespacedName, CompiledRoute]
    settled: Settled


def compile_routes(items: Mapping[NamespacedName, Item[LLMRoute]], directory: Directory) -> CompiledRoutes:
    """All routes: who may have which name first, then what is behind it."""
    for item in items.values():
        warn_of_pending(item.report, item.resource)
        refuse_rbac(item.report, item.resource.spec.access)
    accepted = [item for item in items.values() if item.report.accepted]
    settled = settle(claim for item in accepted for claim in _claims(item))
    for item in accepted:
        report_lost(item.report, settled)
    routes = {at: _compile_route(item, settled, directory) for at, item in items.items()}
    return CompiledRoutes(routes, settled)


def refuse_rbac(report: Report, access: Access | None) -> None:
    """Refuse what only some may use as long as nobody asks who: to serve it openly would be worse."""
    if access is not None and access.authorization is Authorization.RBAC:
        message = (
            "RBAC is not in effect in this version, so the object is not served; None serves it to all of access.from"
        )
        report.refuse(Reason.UNSUPPORTED_VALUE, "spec.access.authorization", message)


def report_lost(report: Report, settled: Settled) -> None:
    """Tell an object of the names that older ones hold; without any name left it is not accepted."""
    lost = settled.lost.get(report.subject, ())
    tell = report.error if report.subject in settled.names else report.refuse
    for each in lost:
        message = f"the name {each.claim.name} belongs to {each.winner}, which is older: choose another name"
        tell(Reason.CONFLICTED, each.claim.field, message)


def _claims(item: Item[LLMRoute]) -> Iterable[Claim]:
    models = item.resource.spec.models
    if not models:
        yield Claim(item.key.name, item.key, item.age, "metadata.name")
    for index, model in enumerate(models):
        field = f"spec.models[{index}].name"
        if model.name.startswith(PERSONA_PREFIX):
            message = f"{model.name} can never be reached: {PERSONA_PREFIX} leads to Personas"
            item.report.error(Reason.INVALID, field, message)
        else:
            yield Claim(model.name, item.key, item.age, field)


def _compile_route(item: Item[LLMRoute], settled: Settled, directory: Directory) -> CompiledRoute:
    spec, report, namespace = item.resource.spec, item.report, item.key.namespace
    rules = compile_rules(report, spec.rules, directory, namespace=namespace)
    names = settled.names.get(item.key, ())
    if report.accepted and not names:
        report.refuse(Reason.INVALID, "spec.models", "leaves the route without a name")
    if not report.accepted:
        return CompiledRoute(item, target=None, names=())
    if not rules:
        message = f"none is left, so requests for {', '.join(names)} are answered with 503"
        report.error(Reason.NO_BACKENDS, "spec.rules", message)
    target = Target(
        kind=TargetKind.ROUTE,
        namespace=namespace,
        name=item.key.name,
        rules=rules,
        retry=_retry(report, spec, rules),
        request_timeout_seconds=_request_timeout(report, spec),
        visible_to=directory.namespaces.visible_to(spec.access or DEFAULT_ACCESS, of=namespace),
    )
    return CompiledRoute(item, target=target, names=names)


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
    turns = max((len(rule.backends) for rule in rules), default=0)
    attempts = min(max(_RETRY.attempts, turns), _MAX_ATTEMPTS)
    if given is None:
        return RetryPolicy(attempts=attempts)
    backoff = given.backoff or Backoff()
    base, longest = to_seconds(backoff.base), to_seconds(backoff.max)
    if longest < base:
        report.error(Reason.INVALID, "spec.retry.backoff.max", "is shorter than base, which is used instead")
    return RetryPolicy(
        attempts=given.attempts if "attempts" in given.model_fields_set else attempts,
        base_seconds=base,
        max_seconds=max(base, longest),
        retry_on=_RETRY.retry_on if given.retry_on is None else frozenset(RetryOn(each) for each in given.retry_on),
        budget_percent=_RETRY.budget_percent if given.budget_percent is None else given.budget_percent,
    )
