"""Authors are told what is new about their own objects, once."""

from datetime import UTC, datetime

import pytest

from harness.manifests import route
from harness.memory_cluster import Call, MemoryCluster
from harness.verdicts import degraded, refused, serving
from understudy_operator.cluster import EVENTS, OBJECTS, Manifest, Refused, Unavailable
from understudy_operator.compile import ObjectKey, Verdict
from understudy_operator.metrics import Metrics
from understudy_operator.report import MAX_EVENTS, Reporter, Subject
from understudy_operator.rollout import Rollout
from understudy_operator.status import Programming

ROUTES = OBJECTS["LLMRoute"]
LIVE = Rollout("r1", confirmed=3, total=3)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def reporter(cluster: MemoryCluster, clock: Clock | None = None) -> Reporter:
    """A reporter whose wall clock stands still."""
    return Reporter(
        cluster,
        metrics=Metrics(),
        identity="operator-1",
        clock=clock or Clock(),
        now=lambda: datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
    )


def subjects(cluster: MemoryCluster, *verdicts: Verdict) -> dict[ObjectKey, Subject]:
    """The objects as a fresh look shows them, with these verdicts."""
    found = {}
    for verdict in verdicts:
        manifest = cluster.look(ROUTES, "ai", verdict.object.name)
        assert manifest is not None
        found[verdict.object] = Subject(verdict, manifest)
    return found


def routes(*names: str) -> MemoryCluster:
    """A cluster with these LLMRoutes."""
    return MemoryCluster(*(route(name, namespace="ai") for name in names))


def ready(cluster: MemoryCluster, name: str) -> tuple[str, str]:
    """Status and reason of a route's Ready condition."""
    manifest = cluster.look(ROUTES, "ai", name)
    assert manifest is not None
    condition = next(item for item in manifest["status"]["conditions"] if item["type"] == "Ready")
    return condition["status"], condition["reason"]


def status_writes(cluster: MemoryCluster) -> list[str]:
    """Whose status was written, in order."""
    return [call.name[1] for call in cluster.calls if call.verb == "apply_status"]


def notes(cluster: MemoryCluster) -> list[Manifest]:
    """The events that were posted."""
    found = (cluster.look(EVENTS, "ai", name) for name in sorted(cluster.names(EVENTS)))
    return [event for event in found if event is not None]


async def test_one_edit_among_a_thousand_is_one_write() -> None:
    """A new revision that changed one object's part writes one status."""
    names = [f"route-{number}" for number in range(1000)]
    cluster = routes(*names)
    told = reporter(cluster)
    verdicts = [serving(name, digest=name) for name in names]
    assert await told.report(subjects(cluster, *verdicts), LIVE, read_at=0.0) == 1000
    cluster.calls.clear()
    verdicts[500] = serving("route-500", digest="new", generation=2)
    newer = Rollout("r2", confirmed=3, total=3)
    assert await told.report(subjects(cluster, *verdicts), newer, read_at=1.0) == 1
    assert status_writes(cluster) == ["route-500"]


async def test_a_fresh_operator_writes_nothing_that_is_said_already() -> None:
    """A restart causes no writes: all that is needed is in the statuses themselves."""
    cluster = routes("chat")
    await reporter(cluster).report(subjects(cluster, serving()), LIVE, read_at=0.0)
    cluster.calls.clear()
    assert await reporter(cluster).report(subjects(cluster, serving()), LIVE, read_at=0.0) == 0


async def test_a_look_from_before_the_last_write_is_not_believed() -> None:
    """A status written while the next cycle was reading already is not written a second time."""
    cluster, clock = routes("chat"), Clock()
    told = reporter(cluster, clock)
    stale = subjects(cluster, serving())
    clock.now = 5.0
    await told.report(stale, LIVE, read_at=4.0)
    assert await told.report(stale, LIVE, read_at=4.5) == 0
    assert await told.report(stale, LIVE, read_at=6.0) == 1, "by then the look shows that somebody removed it"


async def test_an_object_that_went_meanwhile_stops_no_other() -> None:
    """A deleted object needs no status, and the others get theirs."""
    cluster = routes("chat", "other")
    seen = subjects(cluster, serving("chat"), serving("other"))
    cluster.remove(ROUTES, "ai", "chat")
    assert await reporter(cluster).report(seen, LIVE, read_at=0.0) == 1
    assert ready(cluster, "other") == ("True", "Ready")


async def test_a_status_that_reached_a_newcomer_is_put_right() -> None:
    """An object replaced by another of its name may get what was meant for the first, and loses it at the next look."""
    cluster, clock = routes("chat"), Clock()
    told = reporter(cluster, clock)
    seen = subjects(cluster, serving("chat"))
    cluster.remove(ROUTES, "ai", "chat")
    cluster.put(route("chat", namespace="ai"))
    await told.report(seen, LIVE, read_at=0.0)
    await told.report(subjects(cluster, refused("chat")), LIVE, read_at=1.0)
    assert ready(cluster, "chat") == ("False", "Invalid")


async def test_a_refused_status_stops_no_other() -> None:
    """An API server that will not take one status gets all others."""
    cluster = routes("chat", "other")

    async def refuse(call: Call) -> None:
        if call.name[1] == "chat" and call.verb == "apply_status":
            raise Refused("422")

    cluster.before = refuse
    told = await reporter(cluster).report(subjects(cluster, serving("chat"), serving("other")), LIVE, read_at=0.0)
    assert told == 1


async def test_an_interrupted_report_goes_on_where_it_was() -> None:
    """What could not be written is written the next time."""
    cluster = routes("a", "b")
    told = reporter(cluster)

    async def fail(call: Call) -> None:
        if call.name[1] == "b" and call.verb == "apply_status":
            raise Unavailable("503")

    cluster.before = fail
    with pytest.raises(Unavailable):
        await told.report(subjects(cluster, serving("a"), serving("b")), LIVE, read_at=0.0)
    cluster.before = _fine
    await told.report(subjects(cluster, serving("a"), serving("b")), LIVE, read_at=0.0)
    assert ready(cluster, "a") == ready(cluster, "b") == ("True", "Ready")


async def _fine(_call: Call) -> None:
    return


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(serving(), LIVE)], ["Normal Ready"], id="a new object is live"),
        pytest.param(
            [(serving(), Rollout("r1", total=1, lagging=("a",))), (serving(), LIVE)],
            ["Normal Ready"],
            id="pending is not worth an event, live is",
        ),
        pytest.param([(refused(), LIVE)], ["Warning Invalid"], id="a new object is broken"),
        pytest.param(
            [(serving(), LIVE), (serving(digest="d2"), LIVE), (serving(digest="d3"), LIVE)],
            ["Normal Ready"],
            id="edits that stay live are no transition",
        ),
        pytest.param(
            [(serving(), LIVE), (refused(), LIVE), (serving(), LIVE)],
            ["Normal Ready", "Normal Ready", "Warning Invalid"],
            id="broken and mended",
        ),
        pytest.param(
            [(serving(), LIVE), (degraded(digest="d2"), LIVE), (serving(digest="d3"), LIVE)],
            ["Normal Ready", "Normal Ready", "Warning Degraded"],
            id="a backend lost and found",
        ),
        pytest.param([(degraded(), LIVE)], ["Warning Degraded"], id="a new object lacks a backend"),
    ],
)
async def test_events_are_for_transitions(steps: list[tuple[Verdict, Programming]], expected: list[str]) -> None:
    """An event says that an object became ready, degraded or neither, and nothing else."""
    cluster = routes("chat")
    told = reporter(cluster)
    for step, (verdict, programming) in enumerate(steps):
        await told.report(subjects(cluster, verdict), programming, read_at=float(step))
    assert sorted(f"{event['type']} {event['reason']}" for event in notes(cluster)) == expected


async def test_an_event_names_its_object() -> None:
    """`kubectl describe` finds it."""
    cluster = routes("chat")
    await reporter(cluster).report(subjects(cluster, serving()), LIVE, read_at=0.0)
    (event,) = notes(cluster)
    manifest = cluster.look(ROUTES, "ai", "chat")
    assert manifest is not None
    assert event["regarding"] == {
        "apiVersion": "understudy.dev/v1alpha1",
        "kind": "LLMRoute",
        "namespace": "ai",
        "name": "chat",
        "uid": manifest["metadata"]["uid"],
    }
    assert (event["note"], event["eventTime"]) == (
        "Live on 3/3 proxies at revision r1",
        "2026-11-21T10:00:00.000000Z",
    )


async def test_events_are_bounded_and_never_in_the_way() -> None:
    """A thousand objects that turn at once get their statuses and some events, and refused events change nothing."""
    names = [f"route-{number}" for number in range(MAX_EVENTS + 10)]
    cluster = routes(*names)
    seen = subjects(cluster, *(serving(name, digest=name) for name in names))
    await reporter(cluster).report(seen, LIVE, read_at=0.0)
    assert len(notes(cluster)) == MAX_EVENTS

    async def refuse(call: Call) -> None:
        if call.type is EVENTS:
            raise Refused("403")

    cluster = routes(*names)
    cluster.before = refuse
    seen = subjects(cluster, *(serving(name, digest=name) for name in names))
    assert await reporter(cluster).report(seen, LIVE, read_at=0.0) == len(names)
