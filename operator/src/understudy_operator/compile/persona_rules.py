"""The rules of a Persona: out of its own preferences, or a route's."""

from dataclasses import dataclass

from understudy_api.config import Capability, RetryPolicy, Rule
from understudy_api.v1alpha1.meta import ObjectReference
from understudy_api.v1alpha1.persona import Constraints, PersonaSpec
from understudy_operator.compile.casting import Caster, Requirements
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.reachable import Reachable
from understudy_operator.compile.report import Report
from understudy_operator.compile.targets import default_attempts, report_nothing_left

_RULE_NAME = "preferences"
_RETRY = RetryPolicy()


@dataclass(frozen=True, slots=True)
class PersonaRules:
    """How a persona's requests are answered; without rules, nobody answers."""

    rules: tuple[Rule, ...] = ()
    retry: RetryPolicy = _RETRY
    request_timeout_seconds: float | None = None


def compile_persona_rules(
    report: Report, spec: PersonaSpec, requirements: Requirements, reachable: Reachable
) -> PersonaRules:
    """The rules of a persona; only models that meet the requirements get into them."""
    caster = Caster(report, requirements, reachable.directory, report.subject.namespace)
    if spec.route_ref is not None:
        return _as_routed(caster, spec.route_ref, reachable)
    backends = caster.cast(spec.preferences)
    if not backends:
        report_nothing_left(report, "spec.preferences")
        return PersonaRules()
    rules = (Rule(name=_RULE_NAME, backends=backends),)
    return PersonaRules(rules, RetryPolicy(attempts=default_attempts(rules)))


def requirements_of(spec: PersonaSpec, *, declares_tools: bool) -> Requirements:
    """What a model must offer a persona; with tools declared, every request needs one that takes tools."""
    requires = {Capability(each) for each in spec.requires}
    if declares_tools:
        requires.add(Capability.TOOLS)
    return Requirements(frozenset(requires), spec.constraints or Constraints())


def _as_routed(caster: Caster, ref: ObjectReference, reachable: Reachable) -> PersonaRules:
    report, field = caster.report, "spec.routeRef"
    target = reachable.find_route(ref, namespace=caster.namespace)
    if isinstance(target, Missing):
        report.unresolved(field, target)
        report_nothing_left(report, field)
        return PersonaRules()
    rules = caster.narrowed(target.rules, field=field)
    if not rules:
        report_nothing_left(report, field)
    return PersonaRules(rules, target.retry, target.request_timeout_seconds)
