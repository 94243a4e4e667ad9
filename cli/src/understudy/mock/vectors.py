"""Vectors for texts: near to one another where the texts share words, so that a search by them finds something.

No model: each word has its own few places in the vector, chosen by its hash, and a long word counts for more than a
short one. What texts mean is left out.
"""

import re
from hashlib import shake_256
from itertools import islice
from math import sqrt

from understudy.mock.asks import Embeddings

_WORD = re.compile(r"\w+")
_MOST_WORDS = 2000
_PLACES_A_WORD = 4
_OWN = 0.001
"""How much of a vector is the text's alone, so that other texts with the same words have other vectors."""


def vectors_for(ask: Embeddings) -> list[list[float]]:
    """Return one vector of length 1 an input; equal inputs have equal vectors."""
    return [_vector(text, ask.dimensions) for text in ask.inputs]


def _vector(text: str, dimensions: int) -> list[float]:
    digest = shake_256(text.encode()).digest(2 * dimensions)
    vector = [_OWN * (int.from_bytes(digest[at : at + 2], "big") / 32768 - 1) for at in range(0, 2 * dimensions, 2)]
    for word in islice(_WORD.finditer(text.lower()), _MOST_WORDS):
        found = word[0]
        places = shake_256(found.encode()).digest(2 * _PLACES_A_WORD)
        for at in range(0, len(places), 2):
            place = int.from_bytes(places[at : at + 2], "big")
            vector[place // 2 % dimensions] += len(found) * (1 if place % 2 else -1)
    length = sqrt(sum(x * x for x in vector)) or 1.0
    return [x / length for x in vector]
