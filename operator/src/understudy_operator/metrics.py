"""What the operator counts and times, in a registry of its own. No label value comes from a user's object."""

from collections import Counter as Tally
from collections.abc import Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from understudy_operator.cluster import OBJECTS
from understudy_operator.compile import Verdict

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Standing(StrEnum):
    """What became of an object, in one word."""

    SERVING = "serving"
    DEGRADED = "degraded"
    OUT = "out"


class Trigger(StrEnum):
    """Why a cycle ran."""

    DOORBELL = "doorbell"
    RESYNC = "resync"
    RETRY = "retry"


class PodState(StrEnum):
    """What a ready proxy pod makes of the newest revision."""

    CONFIRMED = "confirmed"
    LAGGING = "lagging"
    REFUSED = "refused"


class Metrics:
    """All metrics of one operator process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.compile_seconds = self._histogram("compile_seconds", "Time to compile all objects")
        self.publish_seconds = self._histogram("publish_seconds", "Time to write a new configuration")
        self.confirm_seconds = self._histogram(
            "apply_to_confirmed_seconds", "Time from the first sign of a change until every ready proxy runs it"
        )
        self.cycles = self._counter("cycles", "Compile cycles begun, by what began them", ["trigger"])
        self.failures = self._counter("cycle_failures", "Cycles that ended with an error, by its kind", ["error"])
        self.publishes = self._counter("publishes", "Configurations published")
        self.conflicts = self._counter("publish_conflicts", "Publications begun anew: another operator was at work")
        self.repairs = self._counter("publish_repairs", "Publications because what was published had been changed")
        self.status_writes = self._counter("status_writes", "Statuses written, by outcome", ["outcome"])
        self.last_success = self._gauge("last_success_timestamp_seconds", "When a cycle last succeeded")
        self.leader = self._gauge("leader", "1 when this process leads")
        self.watches = self._gauge("reference_watches", "Secrets and ConfigMaps that are watched")
        self.unwatched = self._gauge("references_unwatched", "Secrets and ConfigMaps named beyond what is watched")
        self._objects = self._gauge("objects", "Objects by kind and what became of them", ["kind", "verdict"])
        self._pods = self._gauge("proxy_pods", "Ready proxy pods by what they make of the newest revision", ["state"])
        self._create_children()

    def count_objects(self, verdicts: Iterable[Verdict]) -> None:
        """Set the number of objects of each kind and standing."""
        tally = Tally((verdict.object.kind, standing(verdict)) for verdict in verdicts)
        for kind in OBJECTS:
            for state in Standing:
                self._objects.labels(kind, state).set(tally[kind, state])

    def count_pods(self, *, confirmed: int, lagging: int, refused: int) -> None:
        """Set the number of ready proxy pods in each state."""
        self._pods.labels(PodState.CONFIRMED).set(confirmed)
        self._pods.labels(PodState.LAGGING).set(lagging)
        self._pods.labels(PodState.REFUSED).set(refused)

    def _create_children(self) -> None:
        """Show every series from the start, so that a rate over it never misses its first step."""
        for trigger in Trigger:
            self.cycles.labels(trigger)
        for outcome in ("written", "gone", "refused"):
            self.status_writes.labels(outcome)
        self.count_objects(())
        self.count_pods(confirmed=0, lagging=0, refused=0)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"understudy_operator_{name}", text, registry=self.registry, buckets=_SECONDS)

    def _counter(self, name: str, text: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(f"understudy_operator_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
        return Gauge(f"understudy_operator_{name}", text, labels, registry=self.registry)


def standing(verdict: Verdict) -> Standing:
    """The word for a verdict."""
    if not verdict.serving:
        return Standing.OUT
    return Standing.DEGRADED if verdict.degraded else Standing.SERVING
