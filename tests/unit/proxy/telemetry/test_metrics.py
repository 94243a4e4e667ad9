"""What a request leaves behind in the metrics."""

from dataclasses import replace

import pytest

from harness.runtimes import a_backend, a_provider, a_rule, a_runtime, a_target
from understudy_api.config import Prompt, TargetKind
from understudy_proxy.config.runtime import Candidate, Runtime, RuntimeTarget
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.routing.health import HealthChange, Standing
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book, Buckets, Family, Kind
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.telemetry.outcomes import Outcomes
from understudy_proxy.telemetry.record import RequestRecord


def a_route(name: str = "chat") -> Runtime:
    """One route to one model."""
    target = a_target(f"ai/{name}", a_rule(a_backend("ai/main", "m")))
    return a_runtime(a_provider("ai/main", "m"), targets=[target])


def served(runtime: Runtime) -> tuple[RuntimeTarget, Candidate]:
    """The target, and who answers for it."""
    (target,) = runtime.targets.values()
    return target, target.rules[0].tiers[0][0]


class Counted:
    """Metrics, and what they show."""

    def __init__(self) -> None:
        self.book = Book()
        self.outcomes = Outcomes()
        self.metrics = Metrics(self.book, self.outcomes, log=None)

    def shown(self, family: Family) -> dict[tuple[str, ...], float | Buckets]:
        """The numbers of a family, without those that are zero."""
        return {labels: value for labels, value in self.book.samples().get(family.name, {}).items() if value}


def ended(runtime: Runtime, **fields: object) -> RequestRecord:
    """A streamed request that went well and took a second."""
    target, candidate = served(runtime)
    record = RequestRecord(
        request_id="r",
        started=10.0,
        stream=True,
        status=200,
        target=target,
        candidate=candidate,
        attempts=1,
        first_token=10.25,
        finished=11.0,
        usage=Usage(input=100, output=16, cached_input=60, cache_write=5, reasoning=7),
    )
    return replace(record, **fields)  # type: ignore[arg-type]


def test_counts_a_request() -> None:
    """Who asked for what, who answered, how long it took and what it used."""
    counted = Counted()
    counted.metrics.request_began()
    counted.metrics.record_request(ended(a_route()))
    who = ("ai/chat", "ai/main", "m")
    assert {(*who, "2xx", ""): 1} == counted.shown(families.REQUESTS)
    assert {
        (*who, "input"): 100,
        (*who, "output"): 16,
        (*who, "cached_input"): 60,
        (*who, "cache_write"): 5,
        (*who, "reasoning"): 7,
    } == counted.shown(families.TOKENS)
    (seconds,) = counted.shown(families.REQUEST_SECONDS).values()
    assert isinstance(seconds, Buckets)
    assert (1, 1.0) == (sum(seconds.counts), seconds.total)


def test_follows_the_conventions_for_streams() -> None:
    """Time to first token, and time per output token as (duration - time to first token) / (tokens - 1)."""
    counted = Counted()
    counted.metrics.request_began()
    counted.metrics.record_request(ended(a_route()))
    totals = {
        family.name: value.total
        for family in (families.FIRST_TOKEN_SECONDS, families.PER_TOKEN_SECONDS)
        for value in counted.shown(family).values()
        if isinstance(value, Buckets)
    }
    assert {families.FIRST_TOKEN_SECONDS.name: 0.25, families.PER_TOKEN_SECONDS.name: 0.05} == totals


def test_bounds_belong_to_the_bucket_below() -> None:
    """Prometheus' buckets are `le`: a value that equals a bound is within it."""
    book = Book()
    family = Family("f", "h", Kind.HISTOGRAM, bounds=(1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        book.distribution(family).observe(value)
    assert {(): Buckets((2, 2, 1), 7.5)} == book.samples()["f"]


def test_no_label_comes_from_a_client() -> None:
    """A million names that lead nowhere are one series."""
    counted = Counted()
    for number in range(100):
        counted.metrics.request_began()
        counted.metrics.record_request(
            RequestRecord(request_id=f"r{number}", started=0.0, status=404, finished=0.1, namespace=f"n{number}")
        )
    assert {("none", "none", "none", "4xx", ""): 100} == counted.shown(families.REQUESTS)
    assert 1 == len(counted.shown(families.REQUEST_SECONDS))


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        pytest.param(200, "", id="no error"),
        pytest.param(429, "429", id="known"),
        pytest.param(418, "4xx", id="whatever a provider sends"),
        pytest.param(599, "5xx", id="beyond"),
    ],
)
def test_bounds_what_a_provider_can_make_a_label(status: int, error_type: str) -> None:
    """A provider that answers a new status each time does not fill the memory of Prometheus."""
    counted = Counted()
    counted.metrics.request_began()
    counted.metrics.record_request(ended(a_route(), status=status))
    ((*_, label),) = counted.shown(families.REQUEST_SECONDS)
    assert error_type == label


def test_counts_what_went_wrong() -> None:
    """Failovers, and clients that left."""
    counted = Counted()
    counted.metrics.request_began()
    counted.metrics.record_request(ended(a_route(), failovers=2, client_left=True, status=499))
    assert {("ai/chat",): 2} == counted.shown(families.FAILOVERS)
    assert {("ai/chat",): 1} == counted.shown(families.CLIENT_DISCONNECTS)


def test_counts_attempts_by_outcome() -> None:
    """Each attempt at a provider, with its failure as OpenTelemetry's error type."""
    counted = Counted()
    _, candidate = served(a_route())
    counted.metrics.record_attempt(candidate, "success", 0.5)
    counted.metrics.record_attempt(candidate, "rate_limited", 0.1)
    assert {("ai/main", "m", "success"): 1, ("ai/main", "m", "rate_limited"): 1} == counted.shown(families.ATTEMPTS)
    assert {"", "rate_limited"} == {labels[-1] for labels in counted.shown(families.ATTEMPT_SECONDS)}


def test_knows_what_is_in_flight() -> None:
    """The gauge goes back to zero however requests end."""
    counted = Counted()
    for _ in range(3):
        counted.metrics.request_began()
    counted.metrics.record_request(ended(a_route()))
    assert 2 == counted.metrics.in_flight


def test_tells_health_changes_by_provider() -> None:
    """Addresses come and go; the counter is by provider."""
    counted = Counted()
    for address in ("10.0.0.1:80", "10.0.0.2:80"):
        counted.metrics.health_changed(HealthChange(f"ai/main@{address}", None, Standing.EJECTED, 5.0))
    assert {("ai/main", "ejected"): 2} == counted.shown(families.ENDPOINT_CHANGES)


def test_a_failing_minute_shows() -> None:
    """What `/health` answers by is fed by requests: a server's errors count, a client's do not."""
    counted = Counted()
    for status in (200, 404, 429, 502, 503):
        counted.metrics.request_began()
        counted.metrics.record_request(ended(a_route(), status=status))
    assert (5, 2) == counted.outcomes.counts(now=11.0)


def test_forgets_what_is_gone_from_the_configuration() -> None:
    """A fleet whose routes come and go does not count ever more series; what stays goes on counting."""
    counted = Counted()
    both = a_runtime(
        a_provider("ai/main", "m"),
        targets=[a_target(f"ai/{name}", a_rule(a_backend("ai/main", "m"))) for name in ("old", "kept")],
    )
    for target in both.targets.values():
        counted.metrics.request_began()
        counted.metrics.record_request(ended(a_route(), target=target))
    kept = a_route("kept")
    counted.metrics.configured(kept)
    counted.metrics.request_began()
    counted.metrics.record_request(ended(kept))
    assert {("ai/kept", "ai/main", "m", "2xx", ""): 2} == counted.shown(families.REQUESTS)


def test_an_edit_can_be_compared_with_what_was_before_it() -> None:
    """However many other objects change meanwhile; and of many edits no more than the last two are counted on."""
    counted = Counted()

    def edited(persona: str, *, other: str) -> None:
        targets = [
            a_target(f"ai/{name}", a_rule(a_backend("ai/main", "m")), kind=TargetKind.PERSONA, prompt=prompt)
            for name, prompt in {"clerk": Prompt(revision=persona), "other": Prompt(revision=other)}.items()
        ]
        runtime = a_runtime(a_provider("ai/main", "m"), targets=targets)
        counted.metrics.configured(runtime)
        counted.metrics.request_began()
        counted.metrics.record_request(ended(a_route(), target=next(iter(runtime.targets.values()))))

    for persona, other in [("p1", "o1"), ("p2", "o1"), ("p3", "o1"), ("p3", "o2"), ("p3", "o3")]:
        edited(persona, other=other)
    assert {("persona/ai/clerk", "p2", "2xx"): 1, ("persona/ai/clerk", "p3", "2xx"): 3} == counted.shown(
        families.PERSONA_REQUESTS
    )
