"""What a status says follows from verdict and rollout, and is written only when it is something new."""

from typing import Any

import pytest

from harness.verdicts import degraded, refused, serving, unresolved
from understudy_operator.compile import Verdict
from understudy_operator.rollout import Rollout
from understudy_operator.status import (
    ConditionType,
    ProgrammedReason,
    Programming,
    Status,
    Unpublished,
    condition_of,
    desired_status,
)

LIVE = Rollout("r1", confirmed=3, total=3)
PENDING = Rollout("r1", confirmed=1, total=3, lagging=("b", "c"))
LAGGING = Rollout("r1", confirmed=0, total=5, lagging=("a", "b", "c", "d", "e"), overdue=True)
REJECTED = Rollout("r1", confirmed=2, total=3, refused={"b": "unknown dialect"})
NO_PROXIES = Rollout("r1")
TOO_LARGE = Unpublished(ProgrammedReason.TOO_LARGE, "the config needs 9 objects")


def desired(
    verdict: Verdict, programming: Programming, current: Status | None = None, *, now: str = "2026-01-01T00:00:00Z"
) -> Status:
    """The status to write, where there must be one."""
    status = desired_status(verdict, programming, current, now=now)
    assert status is not None
    return status


def summary(status: Status) -> dict[str, str]:
    """Each condition in short."""
    return {item["type"]: f"{item['status']} {item['reason']}: {item['message']}" for item in status["conditions"]}


@pytest.mark.parametrize(
    ("verdict", "programming", "programmed", "ready"),
    [
        pytest.param(
            serving(),
            LIVE,
            "True Programmed: Live on 3/3 proxies at revision r1",
            "True Ready: Live on 3/3 proxies at revision r1",
            id="live",
        ),
        pytest.param(
            serving(),
            PENDING,
            "False Pending: Live on 1/3 proxies at revision r1, waiting for b, c",
            "False Pending: Live on 1/3 proxies at revision r1, waiting for b, c",
            id="on its way",
        ),
        pytest.param(
            serving(),
            LAGGING,
            "False Lagging: Live on 0/5 proxies at revision r1, waiting for a, b, c and 2 more",
            "False Lagging: Live on 0/5 proxies at revision r1, waiting for a, b, c and 2 more",
            id="overdue",
        ),
        pytest.param(
            serving(),
            REJECTED,
            "False Rejected: 1/3 proxies refuse revision r1 and keep the one before; b says: unknown dialect",
            "False Rejected: 1/3 proxies refuse revision r1 and keep the one before; b says: unknown dialect",
            id="refused by a proxy",
        ),
        pytest.param(
            serving(),
            NO_PROXIES,
            "False NoProxies: No ready proxies to run revision r1",
            "False NoProxies: No ready proxies to run revision r1",
            id="no proxies",
        ),
        pytest.param(
            serving(),
            TOO_LARGE,
            "False TooLarge: the config needs 9 objects",
            "False TooLarge: the config needs 9 objects",
            id="not published",
        ),
        pytest.param(
            degraded(),
            LIVE,
            "True Programmed: Live on 3/3 proxies at revision r1",
            "True Degraded: Serves without what is out: spec.rules[0].backends[1]: no LLMProvider ai/gone",
            id="degraded and live",
        ),
        pytest.param(
            refused(),
            LIVE,
            "False NotServed: Not part of the configuration: spec.rules: is required",
            "False Invalid: spec.rules: is required",
            id="not accepted",
        ),
        pytest.param(
            unresolved(),
            LIVE,
            "False NotServed: Not part of the configuration: no backend is left",
            "False NoBackends: no backend is left",
            id="nothing to serve",
        ),
    ],
)
def test_what_programmed_and_ready_say(verdict: Verdict, programming: Programming, programmed: str, ready: str) -> None:
    """Programmed tells of the fleet, and Ready sums everything up with the reason that matters."""
    said = summary(desired(verdict, programming))
    assert (said["Programmed"], said["Ready"]) == (programmed, ready)


def test_a_whole_status() -> None:
    """Every condition is there with its generation and time, beside what the object's part and revision are."""
    status = desired(serving(generation=7), LIVE, now="2026-11-21T10:00:00Z")
    assert [item["type"] for item in status["conditions"]] == ["Accepted", "ResolvedRefs", "Programmed", "Ready"]
    assert {item["observedGeneration"] for item in status["conditions"]} == {7}
    assert {item["lastTransitionTime"] for item in status["conditions"]} == {"2026-11-21T10:00:00Z"}
    rest = {key: value for key, value in status.items() if key != "conditions"}
    assert rest == {"observedGeneration": 7, "revision": "r1", "digest": "d1"}


def test_what_is_not_served_has_no_revision() -> None:
    """A revision would say that something of the object is in it."""
    assert desired(refused(), LIVE).keys() == {"observedGeneration", "conditions"}


@pytest.mark.parametrize(
    "verdict", [serving(), degraded(), refused(), unresolved()], ids=["serving", "degraded", "refused", "unresolved"]
)
@pytest.mark.parametrize(
    "programming",
    [LIVE, PENDING, LAGGING, REJECTED, NO_PROXIES, TOO_LARGE],
    ids=["live", "pending", "lagging", "rejected", "no proxies", "too large"],
)
def test_nothing_new_is_not_written(verdict: Verdict, programming: Programming) -> None:
    """The status that was written is the one that is wanted, so a resync writes nothing."""
    written = desired(verdict, programming)
    assert desired_status(verdict, programming, written, now="2030-01-01T00:00:00Z") is None


@pytest.mark.parametrize(
    "programming",
    [
        Rollout("r2", confirmed=1, total=4, lagging=("a", "b", "c")),
        TOO_LARGE,
        Rollout("r2", refused={"a": "no"}, total=1),
    ],
    ids=["a newer revision is on its way", "a newer one does not fit", "a newer one is refused"],
)
def test_an_untouched_object_keeps_what_it_says(programming: Programming) -> None:
    """What becomes of other people's edits changes nothing about content that is live already."""
    written = desired(serving(), LIVE)
    assert desired_status(serving(), programming, written, now="2030-01-01T00:00:00Z") is None


def test_a_new_generation_of_the_same_content_stays_programmed() -> None:
    """An edit that changes nothing that proxies run is observed, and is as live as before."""
    status = desired(serving(generation=2), PENDING, desired(serving(generation=1), LIVE))
    programmed = condition_of(status, ConditionType.PROGRAMMED)
    assert programmed is not None
    assert (programmed["status"], programmed["observedGeneration"], status["revision"]) == ("True", 2, "r1")


def test_new_content_is_programmed_anew() -> None:
    """An edit is not live because what was there before it was."""
    before = desired(serving(digest="d1"), LIVE)
    after = desired(serving(digest="d2", generation=2), Rollout("r2", total=1, lagging=("a",)), before)
    assert summary(after)["Programmed"].startswith("False Pending")
    assert (after["revision"], after["digest"]) == ("r2", "d2")


def test_content_that_was_never_confirmed_takes_the_next_revision() -> None:
    """An object whose first revision was superseded on its way is live in the one that came after."""
    after = desired(serving(), Rollout("r2", confirmed=1, total=1), desired(serving(), PENDING))
    assert after["revision"] == "r2"
    assert summary(after)["Programmed"] == "True Programmed: Live on 1/1 proxies at revision r2"


def _times(status: Status) -> dict[str, Any]:
    return {item["type"]: item["lastTransitionTime"] for item in status["conditions"]}


def test_the_transition_time_is_of_the_flip() -> None:
    """A condition that stays what it is keeps its time, whatever its message becomes."""
    pending = desired(serving(), PENDING, now="T1")
    live = desired(serving(), LIVE, pending, now="T2")
    assert _times(live) == {"Accepted": "T1", "ResolvedRefs": "T1", "Programmed": "T2", "Ready": "T2"}
    broken = desired(degraded(digest="d2"), LIVE, live, now="T3")
    assert _times(broken) == {"Accepted": "T1", "ResolvedRefs": "T3", "Programmed": "T2", "Ready": "T2"}


def test_conditions_of_others_are_theirs() -> None:
    """Another controller's condition is neither a reason to write nor written."""
    written = desired(serving(), LIVE)
    written["conditions"].insert(0, {"type": "Theirs", "status": "True"})
    assert desired_status(serving(), LIVE, written, now="T") is None


@pytest.mark.parametrize(
    "current", [{"conditions": "x"}, {"conditions": ["x", {}]}, {"digest": "d1"}], ids=["text", "junk", "no conditions"]
)
def test_a_broken_status_is_replaced(current: Status) -> None:
    """Whatever somebody wrote into a status, the next cycle puts it right."""
    assert desired(serving(), LIVE, current) == desired(serving(), LIVE)


def test_messages_are_bounded() -> None:
    """A message stays readable, however long what it quotes."""
    status = desired(refused(message="x" * 100_000), LIVE)
    assert max(len(item["message"]) for item in status["conditions"]) == 2048
