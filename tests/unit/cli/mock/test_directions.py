"""Words in square brackets that direct an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.mock.directions import Directions, directions_in


@pytest.mark.parametrize(
    ("said", "read"),
    [
        pytest.param("Hello", Directions("Hello"), id="none"),
        pytest.param("", Directions(""), id="nothing"),
        pytest.param("[call: a, b]", Directions("", calls=("a", "b")), id="calls"),
        pytest.param("[call]", Directions("", calls=()), id="the first tool, whichever it is"),
        pytest.param("[think: a bit]", Directions("", think="a bit"), id="think"),
        pytest.param("[say: Fine  so]", Directions("", say="Fine  so"), id="say, to the letter"),
        pytest.param('[say: {"a": [1, [2]]}]', Directions("", say='{"a": [1, [2]]}'), id="brackets in it"),
        pytest.param("[refuse]", Directions("", refuse=True), id="refuse"),
        pytest.param("[cached: 7] [written: 5]", Directions("", cached=7, written=5), id="cache"),
        pytest.param(
            "[call] [then: [call: b] [then: Now what?]]",
            Directions("", calls=(), then="[call: b] [then: Now what?]"),
            id="what holds later",
        ),
        pytest.param("[cached: many]", Directions(""), id="no number"),
        pytest.param("[cached: 99999999999]", Directions(""), id="too large a number"),
        pytest.param("Is it\n warm? [refuse] Say!", Directions("Is it warm? Say!", refuse=True), id="text around it"),
        pytest.param("[say: a] [say: b]", Directions("", say="b"), id="the last holds"),
        pytest.param("[say: unclosed", Directions("[say: unclosed"), id="unclosed"),
        pytest.param("[1] [callback: x] [sayings]", Directions("[1] [callback: x] [sayings]"), id="other brackets"),
        pytest.param("two  spaces [x]", Directions("two  spaces [x]"), id="text is left as it is"),
    ],
)
def test_reads(said: str, read: Directions) -> None:
    """A direction is taken out of the text; everything else stays text."""
    assert read == directions_in(said)


@given(st.text(st.sampled_from("[]: ,a1")) | st.text())
def test_any_text_is_read(said: str) -> None:
    """No text makes reading fail."""
    assert isinstance(directions_in(said), Directions)


def test_a_hostile_text_costs_no_more_than_its_length() -> None:
    """Brackets that never close are looked at once."""
    assert directions_in("[say: " * 200_000).say is None
