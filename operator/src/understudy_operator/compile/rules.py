"""The rules of an LLMRoute: which requests, and the backends that answer them."""

from understudy_api.config import Backend, Capability, HeaderMatch, Match, Rule, Strategy
from understudy_api.v1alpha1.route import Backend as BackendSpec
from understudy_api.v1alpha1.route import HeaderMatchType
from understudy_api.v1alpha1.route import Match as MatchSpec
from understudy_api.v1alpha1.route import Rule as RuleSpec
from understudy_operator.compile.backends import Directory, key_of
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason

_ALWAYS = Match()


def compile_rules(
    report: Report, specs: tuple[RuleSpec, ...], directory: Directory, *, namespace: str
) -> tuple[Rule, ...]:
    """The rules that have a backend left, in order."""
    rules: list[Rule] = []
    taken: set[str] = set()
    takes_all: str | None = None
    for index, spec in enumerate(specs):
        at = f"spec.rules[{index}]"
        if takes_all is not None:
            message = f"is never reached: {takes_all} takes every request; put it last, or give it matches"
            report.warn(Reason.UNREACHABLE, at, message)
        name = _unique_name(report, spec, at=at, index=index, taken=taken)
        matches = _matches(report, spec, at=at)
        backends = _backends(report, spec, directory, at=at, namespace=namespace)
        if not backends:
            continue
        rules.append(Rule(name=name, matches=matches, backends=backends, strategy=Strategy(spec.strategy)))
        if matches == ():
            takes_all = takes_all or at
    return tuple(rules)


def _unique_name(report: Report, spec: RuleSpec, *, at: str, index: int, taken: set[str]) -> str:
    """A name for logs and explanations, which nothing else of this route has."""
    name = spec.name or f"rule-{index}"
    if name in taken:
        if spec.name:
            message = f"{name} is the name of an earlier rule too: give this one another"
            report.warn(Reason.DUPLICATE, f"{at}.name", message)
        name = f"{name}#{index}"
    taken.add(name)
    return name


def _matches(report: Report, spec: RuleSpec, *, at: str) -> tuple[Match, ...]:
    """The matches of a rule; none at all means always.

    A match by callers is kept whole, and proxies take it for one that never holds as long as they cannot tell callers
    apart: without its `callers` it would open the rule to everybody.
    """
    matches: list[Match] = []
    for index, match in enumerate(spec.matches):
        if match.callers:
            message = "is not in effect in this version, which does not tell callers apart: this match never holds"
            report.warn(Reason.NOT_IN_EFFECT, f"{at}.matches[{index}].callers", message)
        matches.append(_match(match))
    return () if _ALWAYS in matches else tuple(matches)


def _match(spec: MatchSpec) -> Match:
    return Match(
        min_input_tokens=spec.min_input_tokens,
        headers=tuple(
            HeaderMatch(name=each.name.lower(), value=each.value, prefix=each.type is HeaderMatchType.PREFIX)
            for each in spec.headers
        ),
        requires=frozenset(Capability(capability) for capability in spec.requires),
        callers=tuple(f"{each.namespace}/{each.name}" if each.name else each.namespace for each in spec.callers),
        stream=spec.stream,
    )


def _backends(report: Report, spec: RuleSpec, directory: Directory, *, at: str, namespace: str) -> tuple[Backend, ...]:
    """The backends that are there, each model at a provider once; none if no request would get to any of them.

    A weight of 0 takes a backend out whatever its priority; a proxy is told of it all the same, to explain its choice.
    """
    found: dict[tuple[str, str], Backend] = {}
    for index, given in enumerate(spec.backends):
        backend = _backend(report, given, directory, at=f"{at}.backends[{index}]", namespace=namespace)
        if backend is None:
            continue
        place = (backend.provider, backend.model)
        if place in found:
            message = "is listed before in this rule: the entry with the lowest priority counts; remove the other"
            report.warn(Reason.DUPLICATE, f"{at}.backends[{index}]", message)
        if place not in found or _rank(backend) < _rank(found[place]):
            found[place] = backend
    if found and not any(backend.weight for backend in found.values()):
        message = "leaves only weights of 0, so nobody answers: give at least one backend a weight"
        report.error(Reason.NO_BACKENDS, f"{at}.backends", message)
        return ()
    return tuple(found.values())


def _rank(backend: Backend) -> tuple[bool, int]:
    return backend.weight == 0, backend.priority


def _backend(report: Report, spec: BackendSpec, directory: Directory, *, at: str, namespace: str) -> Backend | None:
    provider = directory.find(spec.provider_ref, namespace=namespace)
    if isinstance(provider, Missing):
        report.unresolved(f"{at}.providerRef", provider)
        return None
    missing = directory.find_model(provider, spec.model)
    if missing is not None:
        report.unresolved(f"{at}.model", missing)
        return None
    return Backend(
        provider=key_of(provider),
        model=spec.model,
        weight=spec.weight,
        priority=spec.priority,
    )
