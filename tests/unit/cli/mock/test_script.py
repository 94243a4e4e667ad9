"""Which request gets which fault."""

import pytest

from understudy.mock.faults import parse_faults
from understudy.mock.script import Script

CHAT = "/v1/chat/completions"


def struck(faults: list[str], *, requests: int, model: str = "m", seed: int = 0) -> list[str | None]:
    """Return the fault that each of so many requests gets."""
    script = Script(parse_faults(faults), seed=seed)
    given = [script.next(model=model, path=CHAT, generates=True) for _ in range(requests)]
    return [fault.text if fault else None for fault in given]


@pytest.mark.parametrize(
    ("faults", "given"),
    [
        pytest.param([], [None, None], id="none"),
        pytest.param(["500"], ["500", "500"], id="always"),
        pytest.param(["500;times=2"], ["500;times=2", "500;times=2", None, None], id="the first two"),
        pytest.param(["500;after=2"], [None, None, "500;after=2", "500;after=2"], id="all but the first two"),
        pytest.param(["500;every=2"], [None, "500;every=2", None, "500;every=2"], id="every second"),
        pytest.param(
            ["500;after=1;every=2;times=1"],
            [None, None, "500;after=1;every=2;times=1", None, None],
            id="conditions together",
        ),
        pytest.param(["500;percent=0"], [None, None, None], id="never"),
        pytest.param(["500;model=other"], [None, None], id="another model"),
        pytest.param(["500;model=?"], ["500;model=?"], id="a pattern of models"),
        pytest.param(["500;path=/v1/models"], [None], id="another path"),
        pytest.param(["429;times=1", "500"], ["429;times=1", "500", "500"], id="the first that strikes"),
        pytest.param(
            ["429;times=2", "500;after=3"],
            ["429;times=2", "429;times=2", None, "500;after=3"],
            id="a later fault counts what an earlier one took",
        ),
    ],
)
def test_strikes(faults: list[str], given: list[str | None]) -> None:
    """Each request gets the first fault whose conditions all hold."""
    assert given == struck(faults, requests=len(given))


def test_chance_is_repeatable_and_fair() -> None:
    """The same seed hits the same requests, another seed others, and about as many as asked for."""
    first, again, other = (struck(["500;percent=25"], requests=2000, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert 400 < first.count("500;percent=25") < 600


def test_another_fault_does_not_change_the_chance_of_the_first() -> None:
    """Adding a fault to a script leaves alone when the ones before it strike."""
    alone = struck(["500;percent=25"], requests=200)
    beside = struck(["500;percent=25", "429;percent=25"], requests=200)
    assert [hit is not None for hit in alone] == [hit == "500;percent=25" for hit in beside]


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        pytest.param("500", False, id="not unless its path is named"),
        pytest.param("500;path=/v1/models", True, id="by exact path"),
        pytest.param("500;path=/v1/*", True, id="by pattern"),
    ],
)
def test_listing_models(fault: str, hit: bool) -> None:
    """Asking for the models uses up no fault that is meant for answers, but can be made to fail."""
    script = Script(parse_faults([fault]), seed=0)
    assert hit == (script.next(model="", path="/v1/models", generates=False) is not None)
