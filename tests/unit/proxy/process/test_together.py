"""One answer of `/config` for several workers: confirmation depends on it."""

from typing import Any

import pytest

from understudy_proxy.together import agreed


def says(revision: str | None, *, at: str | None = "2026-11-21T03:00:00.000Z", refused: str = "") -> dict[str, Any]:
    """What one worker answers."""
    rejected = {"revision": refused, "message": "no"} if refused else None
    return {"revision": revision, "loadedAt": at, "source": "api", "rejected": rejected, "state": {"draining": False}}


@pytest.mark.parametrize(
    ("answers", "revision"),
    [
        pytest.param([says("r2"), says("r2")], "r2", id="all have it"),
        pytest.param([says("r2"), says("r1")], None, id="one lags behind"),
        pytest.param([says("r2"), None], None, id="one does not answer"),
        pytest.param([says("r2"), says(None, at=None)], None, id="one has nothing yet"),
        pytest.param([says(None, at=None)] * 2, None, id="none has anything"),
        pytest.param([None, None], None, id="none answers"),
    ],
)
def test_tells_a_revision_once_all_have_it(answers: list[dict[str, Any] | None], revision: str | None) -> None:
    """A revision is confirmed when every request gets it, whichever worker takes it."""
    assert agreed(answers)["revision"] == revision


def test_a_refusal_by_one_is_a_refusal() -> None:
    """What one worker refuses, the pod refuses."""
    told = agreed([says("r1"), says("r1", refused="r2")])
    assert told["rejected"] == {"revision": "r2", "message": "no"}


def test_is_as_new_as_the_last_to_load() -> None:
    """The time is when the last worker had it."""
    told = agreed([says("r1", at="2026-11-21T03:00:00.000Z"), says("r1", at="2026-11-21T03:00:01.000Z")])
    assert told["loadedAt"] == "2026-11-21T03:00:01.000Z"
    assert told["workers"] == ["r1", "r1"]
