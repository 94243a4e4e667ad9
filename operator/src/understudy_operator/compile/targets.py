"""What LLMRoutes and Personas have in common: names, access and attempts."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy_api.config import RetryPolicy, Rule, Target, digest
from understudy_api.v1alpha1.policy import Access, Authorization
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.names import Settled
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import ObjectKey, Reason, Verdict

DEFAULT_ACCESS = Access()
_MAX_ATTEMPTS = 16
"""As many as `spec.retry.attempts` may say."""


@dataclass(frozen=True, slots=True)
class CompiledTarget:
    """A readable LLMRoute or Persona, and its part of the configuration unless it is not accepted."""

    key: ObjectKey
    report: Report
    access: Access
    target: Target | None = None
    names: tuple[str, ...] = ()

    def verdict(self) -> Verdict:
        """The verdict on the object."""
        serves = self.target is not None and self.target.rules
        return self.report.verdict(digest=digest([self.target, self.names]) if serves else "")


@dataclass(frozen=True, slots=True)
class CompiledTargets:
    """All objects of one of the two kinds, and who holds which name."""

    by_name: Mapping[NamespacedName, CompiledTarget]
    settled: Settled


def refuse_rbac(report: Report, access: Access | None) -> None:
    """Refuse what only some may use as long as nobody asks who: to serve it openly would be worse."""
    if access is not None and access.authorization is Authorization.RBAC:
        message = "RBAC is not in effect in this version, so nothing is served; None serves everybody in access.from"
        report.refuse(Reason.UNSUPPORTED_VALUE, "spec.access.authorization", message)


def report_lost_names(report: Report, settled: Settled) -> None:
    """Tell an object of the names that older ones hold; without any name left it is not accepted."""
    tell = report.error if report.subject in settled.names else report.refuse
    for each in settled.lost.get(report.subject, ()):
        how = "is older" if each.winner.age[0] < each.claim.age[0] else "is as old and comes first by name"
        message = f"the name {each.claim.name} belongs to {each.winner.holder}, which {how}: choose another name"
        tell(Reason.CONFLICTED, each.claim.field, message)


def report_nothing_left(report: Report, field: str) -> None:
    """Say that an object answers nothing. It keeps its names, so that callers hear why instead of `not found`."""
    report.error(Reason.NO_BACKENDS, field, "leaves nobody to answer, so requests get 503")


def default_attempts(rules: tuple[Rule, ...]) -> int:
    """As many attempts as give every backend of the longest rule its turn."""
    turns = max((sum(backend.weight > 0 for backend in rule.backends) for rule in rules), default=0)
    return min(max(RetryPolicy().attempts, turns), _MAX_ATTEMPTS)
