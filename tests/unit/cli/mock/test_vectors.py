"""Vectors of the mock: alike where the texts are."""

import pytest

from understudy.mock.asks import Embeddings
from understudy.mock.vectors import vectors_for


def vectors(*texts: str, dimensions: int = 64) -> list[list[float]]:
    """What the mock answers."""
    return vectors_for(Embeddings("e", inputs=texts, dimensions=dimensions, base64=False, prompt_tokens=0))


def likeness(one: list[float], other: list[float]) -> float:
    """The cosine of the angle between two vectors of length 1."""
    return sum(x * y for x, y in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(("a", "b"), id="other words"),
        pytest.param(("a b", "b a"), id="the same words in another order"),
        pytest.param(("!", "?"), id="no words"),
        pytest.param(("", " "), id="nothing"),
    ],
)
@pytest.mark.parametrize("dimensions", [2, 8, 3072])
def test_vectors_tell_texts_apart(texts: tuple[str, str], dimensions: int) -> None:
    """Equal inputs have equal vectors, others have others; all have length 1 and the asked dimensions."""
    first, again, other = vectors(texts[0], *texts, dimensions=dimensions)
    assert first == again
    assert first != other
    assert {dimensions} == {len(first), len(other)}
    assert [pytest.approx(1.0)] * 2 == [likeness(first, first), likeness(other, other)]


@pytest.mark.parametrize(
    ("question", "nearest"),
    [
        pytest.param("Who pays for shipping a parcel?", 0, id="words of the first"),
        pytest.param("When is the SHOP open?", 1, id="words of the second, in another case"),
    ],
)
def test_vectors_find_texts(question: str, nearest: int) -> None:
    """The text that shares the most words with a question is nearest to it."""
    asked, *texts = vectors(question, "We pay for shipping of each parcel.", "The shop is open from nine to five.")
    assert nearest == max(range(2), key=lambda at: likeness(asked, texts[at]))
