"""Marks of thoughts."""

import pytest

from understudy.mock.signatures import is_signed, signature


def test_knows_its_own() -> None:
    """What was signed is known again."""
    assert is_signed("anthropic", "hm é", signature("anthropic", "hm é"))


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        pytest.param("changed", signature("anthropic", "hm"), id="another text"),
        pytest.param("hm", signature("gemini", "hm"), id="another vendor"),
        pytest.param("hm", "", id="none"),
        pytest.param("hm", None, id="null"),
    ],
)
def test_knows_no_other(text: str, mark: object) -> None:
    """A thought that was changed, or signed elsewhere, is not its own."""
    assert not is_signed("anthropic", text, mark)
