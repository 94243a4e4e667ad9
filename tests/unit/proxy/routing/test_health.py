"""The health of endpoints, in virtual time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from understudy_api.config import HealthPolicy
from understudy_proxy.routing import health
from understudy_proxy.routing.health import Health, HealthBoard, HealthChange, HealthEffect, Standing

POLICY = HealthPolicy(consecutive_failures=3, ejection_seconds=5.0, max_ejection_seconds=60.0)
READY = Health(Standing.READY)


class _Clock:
    """One endpoint with one model, and the time."""

    def __init__(self, endpoint: str = "ai/p", model: str = "m") -> None:
        self.board = HealthBoard()
        self.now = 1000.0
        self.endpoint = endpoint
        self.model = model

    def fail(
        self, effect: HealthEffect = HealthEffect.COUNT, *, times: int = 1, retry_after: float | None = None
    ) -> tuple[HealthChange, ...]:
        """`times` attempts that fail."""
        changes: tuple[HealthChange, ...] = ()
        for _ in range(times):
            trial = self.board.start(self.endpoint, self.model, now=self.now)
            changes += self.board.failed(
                self.endpoint, self.model, effect, POLICY, now=self.now, retry_after_seconds=retry_after
            )
            self.board.finish(self.endpoint, self.model, trial=trial)
        return changes

    def succeed(self, *, seconds: float = 1.0) -> tuple[HealthChange, ...]:
        """An attempt that succeeds."""
        trial = self.board.start(self.endpoint, self.model, now=self.now)
        changes = self.board.succeeded(self.endpoint, self.model, now=self.now, seconds=seconds, stream=False)
        self.board.finish(self.endpoint, self.model, trial=trial)
        return changes

    def standing(self, model: str | None = None) -> Health:
        """As it is now."""
        return self.board.standing(self.endpoint, model or self.model, now=self.now)

    def ejected_for(self) -> float:
        """How long the ejection still lasts."""
        found = self.standing()
        assert found.standing is Standing.EJECTED
        assert found.until is not None
        return found.until - self.now


def test_unknown_endpoints_are_ready() -> None:
    """Nobody is out before anything is known."""
    assert _Clock().standing() == READY


def test_consecutive_failures_eject() -> None:
    """The configured number of failures in a row ejects, and one fewer does not."""
    clock = _Clock()
    assert clock.fail(times=2) == ()
    assert clock.standing() == READY
    assert clock.fail() == (HealthChange("ai/p", None, Standing.EJECTED, 1005.0),)
    assert clock.standing() == Health(Standing.EJECTED, 1005.0)


def test_a_success_in_between_starts_the_count_anew() -> None:
    """Failures that are not in a row eject nobody."""
    clock = _Clock()
    for _ in range(10):
        clock.fail(times=2)
        clock.succeed()
    assert clock.standing() == READY


def test_an_answer_of_any_kind_starts_the_count_anew() -> None:
    """An endpoint that says that the request is wrong is alive."""
    clock = _Clock()
    for _ in range(10):
        clock.fail(times=2)
        clock.fail(HealthEffect.ALIVE)
    assert clock.standing() == READY


def test_soft_failures_count_half() -> None:
    """It takes twice as many soft failures."""
    clock = _Clock()
    clock.fail(HealthEffect.SOFT, times=5)
    assert clock.standing() == READY
    clock.fail(HealthEffect.SOFT)
    assert clock.standing().standing is Standing.EJECTED


def test_some_failures_eject_at_once() -> None:
    """A refused credential needs no second example."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    assert clock.ejected_for() == 5.0


def test_no_effect_has_none() -> None:
    """A client that left says nothing about the endpoint."""
    clock = _Clock()
    assert clock.fail(HealthEffect.NONE, times=100) == ()
    assert clock.standing() == READY


def test_ejections_double_up_to_the_maximum() -> None:
    """Each failed trial doubles the time, up to the configured maximum."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    lengths = []
    for _ in range(7):
        lengths.append(clock.ejected_for())
        clock.now += lengths[-1]
        clock.fail()
    assert lengths == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_one_trial_at_a_time() -> None:
    """When an ejection ends one request is let through; the others wait for its outcome."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    clock.now += 5.0
    assert clock.standing() == Health(Standing.TRIAL)
    assert clock.board.start("ai/p", "m", now=clock.now) is True
    assert clock.standing() == Health(Standing.EJECTED)
    assert clock.board.start("ai/p", "m", now=clock.now) is False


def test_a_successful_trial_ends_the_ejection() -> None:
    """One success and the endpoint is back, and telemetry hears of it."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    clock.now += 5.0
    assert clock.succeed() == (HealthChange("ai/p", None, Standing.READY, None),)
    assert clock.standing() == READY


def test_a_trial_without_an_outcome_may_be_made_again() -> None:
    """A client that leaves during the trial does not leave the endpoint out for good."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    clock.now += 5.0
    trial = clock.board.start("ai/p", "m", now=clock.now)
    clock.board.finish("ai/p", "m", trial=trial)
    assert clock.standing() == Health(Standing.TRIAL)


def test_latecomers_neither_prolong_nor_end_an_ejection() -> None:
    """Requests that were under way when the endpoint was ejected fail too: that is nothing new."""
    clock = _Clock()
    clock.fail(times=30)
    assert clock.ejected_for() == 5.0
    clock.now += 5.0
    clock.board.failed("ai/p", "m", HealthEffect.COUNT, POLICY, now=clock.now)
    assert clock.standing() == Health(Standing.TRIAL)


def test_a_last_resort_that_works_ends_an_ejection_early() -> None:
    """A success while ejected is proof enough."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    clock.succeed()
    assert clock.standing() == READY


def test_health_is_forgiving() -> None:
    """An endpoint that stays well earns back one doubling for each maximum ejection time."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    for _ in range(3):
        clock.now += clock.ejected_for()
        clock.fail()
    assert clock.ejected_for() == 40.0
    clock.now += 40.0
    clock.succeed()
    clock.now += 59.0
    clock.fail(HealthEffect.EJECT)
    assert clock.ejected_for() == 60.0
    clock.now += 60.0
    clock.succeed()
    clock.now += 3 * 60.0
    clock.fail(HealthEffect.EJECT)
    assert clock.ejected_for() == 5.0 * 2**2
    clock.now += 20.0
    clock.succeed()
    clock.now += 86_400.0
    clock.fail(HealthEffect.EJECT)
    assert clock.ejected_for() == 5.0


def test_a_cooldown_is_exactly_as_long_as_asked() -> None:
    """Retry-After is the provider's word: not a moment less, not a moment more, and no trial at its end."""
    clock = _Clock()
    changes = clock.fail(HealthEffect.COOL_DOWN, retry_after=12.5)
    assert changes == (HealthChange("ai/p", "m", Standing.COOLING, 1012.5),)
    clock.now += 12.499
    assert clock.standing() == Health(Standing.COOLING, 1012.5)
    clock.now = 1012.5
    assert clock.standing() == READY


def test_a_cooldown_is_one_models() -> None:
    """Rate limits are a model's: others at the endpoint are asked on."""
    clock = _Clock()
    clock.fail(HealthEffect.COOL_DOWN, retry_after=12.5)
    assert clock.standing("another") == READY


def test_a_used_up_quota_is_the_whole_endpoints() -> None:
    """Money is the account's: no model of it is asked, for a minute or as long as the provider says."""
    clock = _Clock()
    clock.fail(HealthEffect.COOL_DOWN_LONG)
    assert clock.standing("another") == Health(Standing.COOLING, 1060.0)
    clock.fail(HealthEffect.COOL_DOWN_LONG, retry_after=300.0)
    assert clock.standing("another") == Health(Standing.COOLING, 1300.0)


def test_a_success_does_not_end_a_cooldown() -> None:
    """Requests that were under way finish well; the provider's word still holds."""
    clock = _Clock()
    clock.fail(HealthEffect.COOL_DOWN, retry_after=12.5)
    clock.succeed()
    assert clock.standing() == Health(Standing.COOLING, 1012.5)


def test_of_two_cooldowns_the_longer_holds() -> None:
    """A shorter one that comes later takes nothing back."""
    clock = _Clock()
    clock.fail(HealthEffect.COOL_DOWN, retry_after=30.0)
    clock.fail(HealthEffect.COOL_DOWN, retry_after=2.0)
    assert clock.standing() == Health(Standing.COOLING, 1030.0)


def test_cooldowns_are_bounded() -> None:
    """No provider's word keeps it away for longer than an hour; without a time it is a second."""
    clock = _Clock()
    clock.fail(HealthEffect.COOL_DOWN)
    assert clock.standing() == Health(Standing.COOLING, 1000.0 + health.RATE_LIMIT_SECONDS)
    clock.fail(HealthEffect.COOL_DOWN, retry_after=1e9)
    assert clock.standing() == Health(Standing.COOLING, 1000.0 + health.MAX_COOLDOWN_SECONDS)


def test_a_rate_limit_is_a_sign_of_life() -> None:
    """An endpoint on trial that answers 429 is back, and cools down."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    clock.now += 5.0
    clock.fail(HealthEffect.COOL_DOWN, retry_after=3.0)
    assert clock.standing("another") == READY
    assert clock.standing() == Health(Standing.COOLING, 1008.0)


def test_a_missing_model_is_out_by_itself() -> None:
    """A model that the endpoint does not have is tried again later; the other models there go on."""
    clock = _Clock()
    assert clock.fail(HealthEffect.MODEL_MISSING) == (HealthChange("ai/p", "m", Standing.EJECTED, 1005.0),)
    assert clock.standing("another") == READY
    clock.now += 5.0
    assert clock.standing() == Health(Standing.TRIAL)
    clock.fail(HealthEffect.MODEL_MISSING)
    assert clock.ejected_for() == 10.0
    clock.now += 10.0
    assert clock.succeed() == (HealthChange("ai/p", "m", Standing.READY, None),)
    assert clock.standing() == READY


def test_the_graver_standing_holds() -> None:
    """A model at an ejected endpoint is out, cooling or not, and cooling outweighs ejection: it is never asked."""
    clock = _Clock()
    clock.fail(HealthEffect.COOL_DOWN, retry_after=30.0)
    clock.board.failed("ai/p", "m", HealthEffect.EJECT, POLICY, now=clock.now)
    assert clock.standing() == Health(Standing.COOLING, 1030.0)
    assert clock.standing("another") == Health(Standing.EJECTED, 1005.0)


def test_in_flight() -> None:
    """Attempts are counted while they last, and never below none."""
    board = HealthBoard()
    board.start("ai/p", "m", now=0.0)
    board.start("ai/p", "n", now=0.0)
    assert board.in_flight("ai/p") == 2
    board.finish("ai/p", "m", trial=False)
    board.finish("ai/p", "n", trial=False)
    board.finish("ai/p", "n", trial=False)
    board.finish("ai/unknown", "n", trial=False)
    assert (board.in_flight("ai/p"), board.in_flight("ai/unknown")) == (0, 0)


def test_a_probe_ends_an_ejection_and_nothing_else() -> None:
    """An endpoint that a probe finds well is back at once; a missing model and a cooldown stay."""
    clock = _Clock()
    clock.fail(HealthEffect.EJECT)
    clock.board.failed("ai/p", "gone", HealthEffect.MODEL_MISSING, POLICY, now=clock.now)
    clock.fail(HealthEffect.EJECT)
    assert clock.board.probed("ai/p", now=clock.now) == (HealthChange("ai/p", None, Standing.READY, None),)
    assert clock.standing() == READY
    assert clock.standing("gone").standing is Standing.EJECTED
    clock.fail(HealthEffect.COOL_DOWN_LONG)
    assert clock.board.probed("ai/p", now=clock.now) == ()
    assert clock.standing().standing is Standing.COOLING


def test_who_is_out() -> None:
    """Everything that is not asked now can be listed: endpoints, and single models at them."""
    clock = _Clock()
    assert clock.board.out(now=clock.now) == ()
    clock.fail(HealthEffect.EJECT)
    clock.board.failed("ai/q", "n", HealthEffect.COOL_DOWN, POLICY, now=clock.now, retry_after_seconds=30.0)
    ejected = HealthChange("ai/p", None, Standing.EJECTED, 1005.0)
    cooling = HealthChange("ai/q", "n", Standing.COOLING, 1030.0)
    assert clock.board.out(now=clock.now) == (ejected, cooling)
    assert clock.board.out(now=1010.0) == (cooling,)


def test_turns() -> None:
    """Each rule and tier takes its own turns; looking takes none."""
    board = HealthBoard()
    looks = [board.turn("t", "r", 0, looking=True) for _ in range(2)]
    turns = [board.turn("t", "r", 0, looking=False) for _ in range(3)]
    assert (looks, turns, board.turn("t", "r", 1, looking=False)) == ([0, 0], [0, 1, 2], 0)


def test_latency_follows_lately_measured_answers() -> None:
    """The average moves towards new answers, and keeps streams and whole answers apart."""
    pace = HealthBoard().pace
    assert pace.seconds("ai/p", "m", stream=False) is None
    pace.record("ai/p", "m", stream=False, seconds=1.0, now=0.0)
    assert pace.seconds("ai/p", "m", stream=False) == 1.0
    for now in range(1, 30):
        pace.record("ai/p", "m", stream=False, seconds=3.0, now=float(now))
    assert 2.9 < (pace.seconds("ai/p", "m", stream=False) or 0.0) < 3.0
    assert pace.seconds("ai/p", "m", stream=True) is None
    assert not pace.is_stale("ai/p", "m", stream=False, now=30.0)
    assert pace.is_stale("ai/p", "m", stream=False, now=100.0)


def test_a_new_configuration_forgets_what_is_gone() -> None:
    """What belongs to no provider any more is forgotten, unless a request is still there; the rest keeps its health."""
    board = HealthBoard()
    for endpoint in ("ai/gone", "ai/busy", "ai/here", "ai/pods@10.0.0.1:80", "ai/pods@10.0.0.2:80"):
        trial = board.start(endpoint, "m", now=0.0)
        board.failed(endpoint, "m", HealthEffect.EJECT, POLICY, now=0.0)
        board.failed(endpoint, "m", HealthEffect.COOL_DOWN, POLICY, now=0.0, retry_after_seconds=3000.0)
        if endpoint != "ai/busy":
            board.finish(endpoint, "m", trial=trial)
    board.start("ai/pods@10.0.0.2:80", "m", now=899.0)
    board.prune({"ai/here", "ai/pods"}, now=900.0)
    standings = {
        endpoint: board.standing(endpoint, "m", now=900.0).standing
        for endpoint in ("ai/gone", "ai/busy", "ai/here", "ai/pods@10.0.0.1:80", "ai/pods@10.0.0.2:80")
    }
    assert standings == {
        "ai/gone": Standing.READY,
        "ai/busy": Standing.COOLING,
        "ai/here": Standing.COOLING,
        "ai/pods@10.0.0.1:80": Standing.READY,
        "ai/pods@10.0.0.2:80": Standing.COOLING,
    }


def test_the_board_is_bounded() -> None:
    """However many endpoints come and go, the board keeps a bounded number, the troubled rather than the idle."""
    board = HealthBoard()
    board.failed("ai/troubled", "m", HealthEffect.EJECT, POLICY, now=0.0)
    for number in range(health.MAX_PLACES + 10):
        endpoint = f"ai/p@{number}"
        board.start(endpoint, "m", now=0.0)
        board.finish(endpoint, "m", trial=False)
    assert len(board._endpoints) <= health.MAX_PLACES
    assert board.standing("ai/troubled", "m", now=0.0).standing is Standing.EJECTED


_STEPS = st.one_of(
    st.tuples(st.just("wait"), st.floats(0.0, 100.0)),
    st.tuples(st.just("fail"), st.sampled_from(list(HealthEffect))),
    st.tuples(st.just("succeed"), st.none()),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_STEPS, max_size=60))
def test_nobody_is_out_for_good(steps: list[tuple[str, object]]) -> None:
    """Whatever happens, an endpoint can be asked again within the longest cooldown, and one success then heals it."""
    clock = _Clock()
    for step, value in steps:
        if isinstance(value, float):
            clock.now += value
        elif isinstance(value, HealthEffect):
            clock.fail(value, retry_after=7.0)
        else:
            clock.succeed()
        found = clock.standing()
        assert found.until is None or clock.now < found.until <= clock.now + health.MAX_COOLDOWN_SECONDS, step
    clock.now += health.MAX_COOLDOWN_SECONDS
    assert clock.standing().standing in {Standing.READY, Standing.TRIAL}
    clock.succeed()
    assert clock.standing() == READY
