"""A vector in both its forms: numbers, or base64 of little-endian 32-bit floats."""

import binascii
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any


def packed(vector: Sequence[float]) -> str:
    """As base64.

    Raises:
        ValueError: not everything in it is a number that fits.
    """
    try:
        floats = array("f", vector)
    except (TypeError, OverflowError) as error:
        raise ValueError("no vector") from error
    if sys.byteorder == "big":
        floats.byteswap()
    return b64encode(floats.tobytes()).decode()


def unpacked(text: str) -> list[float]:
    """From base64.

    Raises:
        ValueError: it is none, or no whole number of floats.
    """
    floats: array[float] = array("f")
    try:
        floats.frombytes(b64decode(text, validate=True))
    except binascii.Error as error:
        raise ValueError("no vector") from error
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def numbers(vector: Any) -> list[float]:
    """A vector in either form as numbers.

    Raises:
        ValueError: it is none.
    """
    if isinstance(vector, str):
        return unpacked(vector)
    if isinstance(vector, list) and all(type(number) in {float, int} for number in vector):
        return vector
    raise ValueError("no vector")
