"""What a broken, or a hostile, server may send: good bytes with something wrong in them."""

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import orjson

_JUNK = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xf0\x9f\x8e",  # most of a character
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b"data: ",
    b"data:\n\n",
    b"event: error\n",
    b": comment\n\n",
    b"id: 1\n",
    b"[DONE]",
    b"null",
    b"{}",
    b"[",
    b"}",
    b'"',
    b"\\",
    b"\\ud800",
    b"NaN",
    b"9" * 400,
    b"[" * 2000,
    b'{"error":{"message":"x","code":[1]}}',
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**63,
    1.5,
    1e300,
    "",
    "\x00",
    "x" * 300,
    [],
    [None],
    {},
    {"a": {}},
    [[]],
)
_JSON = re.compile(rb"\{.*\}")


def seeded() -> Random:
    """Chance that is the same in every run."""
    return Random(20)  # noqa: S311 - nothing depends on nobody guessing it


def mutated(content: bytes, random: Random) -> bytes:
    """`content` with up to three things wrong."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        content = random.choice(_MUTATIONS)(content, random)
    return content


def pieces(content: bytes, random: Random) -> Iterator[bytes]:
    """`content` cut anywhere, in characters and between CR and LF too."""
    most = random.choice((1, 3, 20, 200, 5000))
    while content:
        size = random.randint(1, most) if len(content) < 4000 else random.randint(100, 5000)
        yield content[:size]
        content = content[size:]


def _inserted(content: bytes, random: Random) -> bytes:
    at = random.randint(0, len(content))
    return content[:at] + random.choice(_JUNK) + content[at:]


def _flipped(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) or 1)
    return content[:at] + bytes([random.randrange(256)]) + content[at + 1 :]


def _left_out(content: bytes, random: Random) -> bytes:
    at = random.randint(0, len(content))
    return content[:at] + content[at + random.randint(1, 60) :]


def _doubled(content: bytes, random: Random) -> bytes:
    at, end = sorted(random.randint(0, len(content)) for _ in range(2))
    return content[:end] + content[at:end][:3000] + content[end:]


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randint(0, len(content))]


def revalued(content: bytes, random: Random) -> bytes:
    """One value of one of its JSON objects is another."""
    found = list(_JSON.finditer(content))
    if not found:
        return content
    place = random.choice(found)
    try:
        value = orjson.loads(place[0])
    except orjson.JSONDecodeError:
        return content
    holders: list[tuple[Any, Any]] = []
    _find(value, holders)
    holder, key = random.choice(holders)
    holder[key] = random.choice(_VALUES)
    return content[: place.start()] + orjson.dumps(value) + content[place.end() :]


def _find(value: Any, holders: list[tuple[Any, Any]]) -> None:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        holders.append((value, key))
        _find(value[key], holders)


_MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _inserted,
    _flipped,
    _left_out,
    _doubled,
    _cut,
    *(revalued,) * 6,
)
