"""The newest configuration is followed until the fleet runs it, and its authors hear of it in time and once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from harness import virtual_time
from harness.manifests import route
from harness.memory_cluster import MemoryCluster
from harness.verdicts import serving
from understudy_operator.cluster import OBJECTS, Unavailable
from understudy_operator.follower import Follower, Target
from understudy_operator.metrics import Metrics
from understudy_operator.report import Reporter, Subject
from understudy_operator.rollout import Answer
from understudy_operator.status import ProgrammedReason, Unpublished

ROUTES = OBJECTS["LLMRoute"]


class ScriptedFleet:
    """Proxies that answer as a function of the time.

    Attributes:
        asked: When they were asked.
    """

    def __init__(self, answers: Callable[[float], Mapping[str, Answer]]) -> None:
        self.asked: list[float] = []
        self._answers = answers

    async def ask(self) -> Mapping[str, Answer]:
        """See `Fleet.ask`."""
        now = asyncio.get_running_loop().time()
        self.asked.append(now)
        return self._answers(now)


@dataclass
class Scene:
    """A follower with all that it touches; `said` is (when, what Programmed said) of each status that was written."""

    follower: Follower
    cluster: MemoryCluster
    fleet: ScriptedFleet
    metrics: Metrics
    said: list[tuple[float, str]]

    def target(self, published: str | Unpublished = "r1", *, digest: str = "d1", written: bool = True) -> None:
        """A cycle has published this."""
        now = asyncio.get_running_loop().time()
        manifest = self.cluster.look(ROUTES, "ai", "chat")
        assert manifest is not None
        verdict = serving(digest=digest)
        self.follower.track(
            Target(
                published=published,
                written=written,
                subjects={verdict.object: Subject(verdict, manifest)},
                read_at=now,
                changed_at=now - 0.2,
            )
        )


def play(
    answers: Callable[[float], Mapping[str, Answer]],
    script: Callable[[Scene], Awaitable[None]],
    *,
    may_write: Callable[[], bool] = lambda: True,
) -> Scene:
    """Run a follower in virtual time while `script` acts, and return what came of it."""

    async def scenario() -> Scene:
        cluster, metrics = MemoryCluster(route("chat", namespace="ai")), Metrics()
        clock = asyncio.get_running_loop().time
        fleet = ScriptedFleet(answers)
        reporter = Reporter(cluster, metrics=metrics, identity="operator-1", clock=clock)
        follower = Follower(fleet, reporter, metrics=metrics, may_write=may_write, confirm_seconds=10.0)
        scene = Scene(follower, cluster, fleet, metrics, [])

        async def note(call: object) -> None:
            if getattr(call, "verb", "") == "apply_status":
                manifest = cluster.look(ROUTES, "ai", "chat")
                assert manifest is not None
                programmed = manifest["status"]["conditions"][2]
                scene.said.append((round(clock(), 2), f"{programmed['status']} {programmed['reason']}"))

        cluster.after = note
        task = asyncio.create_task(follower.run())
        await script(scene)
        task.cancel()
        return scene

    return virtual_time.run(scenario())


def from_time(at: float, revision: str = "r1") -> Callable[[float], Mapping[str, Answer]]:
    """Three proxies that run `revision` from `at` on."""
    return lambda now: dict.fromkeys("abc", Answer(revision if now >= at else "r0"))


async def _once(scene: Scene) -> None:
    scene.target()
    await asyncio.sleep(60)


def test_quickly_confirmed_is_one_write() -> None:
    """A fleet that is quick gets one status write with everything in it."""
    scene = play(from_time(0.3), _once)
    assert [what for _, what in scene.said] == ["True Programmed"]
    assert 0.3 <= scene.said[0][0] <= 0.8


def test_the_first_look_is_soon() -> None:
    """A proxy that watches has the configuration within 50 ms, and is asked then."""
    assert play(from_time(0.0), _once).said == [(0.05, "True Programmed")]


def test_slowly_confirmed_is_pending_first() -> None:
    """After a second the authors hear that it is on its way, and then that it is live."""
    scene = play(from_time(4.0), _once)
    assert [what for _, what in scene.said] == ["False Pending", "True Programmed"]
    assert 1.0 <= scene.said[0][0] <= 1.6
    assert 4.0 <= scene.said[1][0] <= 4.6


def test_overdue_is_lagging_and_goes_on() -> None:
    """After ten seconds the laggards are named, and when they come round, that is noticed too."""
    scene = play(from_time(30.0), _once)
    assert [what for _, what in scene.said] == ["False Pending", "False Lagging", "True Programmed"]
    assert 10.0 <= scene.said[1][0] <= 10.6
    assert 30.0 <= scene.said[2][0] <= 35.0
    late = [at for at in scene.fleet.asked if 12 < at < 30]
    assert len(late) <= 4, "once it is overdue the fleet is asked every five seconds"


def test_a_resync_does_not_make_an_old_rollout_young() -> None:
    """A proxy that never comes round is called lagging once, and not pending again at every resync."""

    async def script(scene: Scene) -> None:
        for _ in range(5):
            scene.target(written=False)
            await asyncio.sleep(60)

    scene = play(from_time(9999.0), script)
    assert [what for _, what in scene.said] == ["False Pending", "False Lagging"]


def test_once_confirmed_nobody_is_asked_any_more() -> None:
    """A fleet that runs the newest revision is left alone until the next cycle."""
    assert len(play(from_time(0.0), _once).fleet.asked) == 1


def test_a_refusal_is_told_with_its_reason_and_taken_back() -> None:
    """A proxy that refuses is quoted; when it is replaced by one that loads, that is live."""

    def answers(now: float) -> Mapping[str, Answer]:
        return {"a": Answer("r1"), "b": Answer("r1") if now > 20 else Answer("r0", "r1", "unknown dialect")}

    scene = play(answers, _once)
    assert [what for _, what in scene.said] == ["False Rejected", "True Programmed"]


def test_no_proxies_then_some() -> None:
    """Installed before any proxy is ready: told so, and live as soon as there is one."""
    scene = play(lambda now: {"a": Answer("r1")} if now > 7 else {}, _once)
    assert [what for _, what in scene.said] == ["False NoProxies", "True Programmed"]


def test_what_could_not_be_published_is_told_at_once() -> None:
    """No proxy is asked for a revision that does not exist."""

    async def script(scene: Scene) -> None:
        scene.target(Unpublished(ProgrammedReason.TOO_LARGE, "9 objects"))
        await asyncio.sleep(5)

    scene = play(from_time(0.0), script)
    assert scene.said == [(0.0, "False TooLarge")]
    assert scene.fleet.asked == []


def test_a_newer_revision_supersedes() -> None:
    """The older one is no longer waited for."""

    async def script(scene: Scene) -> None:
        scene.target("r1")
        await asyncio.sleep(0.5)
        scene.target("r2", digest="d2")
        await asyncio.sleep(5)

    assert [what for _, what in play(from_time(0.6, "r2"), script).said] == ["True Programmed"]


def test_an_edit_storm_does_not_silence_the_reports() -> None:
    """With a new revision every half second that is never confirmed, the authors still hear something each second."""

    async def script(scene: Scene) -> None:
        for number in range(20):
            scene.target(f"r{number}", digest=f"d{number}")
            await asyncio.sleep(0.5)

    scene = play(from_time(99.0), script)
    assert len(scene.said) >= 5
    assert scene.said[0][0] <= 1.6


def test_an_unreachable_cluster_is_retried_until_it_answers() -> None:
    """Status catches up after the API server was gone."""

    def answers(now: float) -> Mapping[str, Answer]:
        if now < 30:
            raise Unavailable("connection refused")
        return {"a": Answer("r1")}

    scene = play(answers, _once)
    assert [what for _, what in scene.said] == ["True Programmed"]
    assert 30 <= scene.said[0][0] <= 36


def test_without_the_lease_nothing_is_written() -> None:
    """A process that may have lost the Lease waits with its statuses until it knows."""
    held = False

    async def script(scene: Scene) -> None:
        nonlocal held
        scene.target()
        await asyncio.sleep(20)
        assert scene.said == []
        held = True
        await asyncio.sleep(10)

    scene = play(from_time(0.0), script, may_write=lambda: held)
    assert [what for _, what in scene.said] == ["True Programmed"]


def test_the_time_from_change_to_confirmation_is_measured() -> None:
    """From the first sign of the change, 200 ms before it was published, until the last proxy runs it."""
    scene = play(from_time(0.0), _once)
    value = scene.metrics.registry.get_sample_value("understudy_operator_apply_to_confirmed_seconds_sum")
    assert value == pytest.approx(0.25)


def test_a_resync_that_changes_nothing_is_not_measured() -> None:
    """Only what was published counts."""

    async def script(scene: Scene) -> None:
        scene.target(written=False)
        await asyncio.sleep(5)

    scene = play(from_time(0.0), script)
    assert scene.metrics.registry.get_sample_value("understudy_operator_apply_to_confirmed_seconds_count") == 0
    assert scene.said == [(0.0, "True Programmed")]
