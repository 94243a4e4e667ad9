"""A session in a store: what comes out is what went in, and never more than its bound."""

from typing import Any

import orjson
import pytest

from understudy_proxy.dialects.canonical.content import (
    Audio,
    CacheMark,
    Document,
    Image,
    Issuer,
    Message,
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.sessions.record import MAX_BYTES, TooLarge, decode, encode
from understudy_proxy.sessions.session import Session

SIGNATURE = Signature("abc", Issuer.GEMINI)
EVERYTHING = (
    Message(
        Role.USER,
        (
            ToolResult(
                "call_1",
                (Text("t"), Image("image/png", "aGk="), Document("text/plain", text="d", title="D")),
                "f",
                is_error=True,
                cache=CacheMark("1h"),
            ),
            Text("é", CacheMark()),
            Image(url="https://x/y.png", detail="low"),
            Audio("audio/wav", "aGk="),
            Document("application/pdf", data="aGk="),
        ),
    ),
    Message(
        Role.ASSISTANT,
        (
            Thinking("hm", SIGNATURE),
            Thinking(redacted="xyz"),
            Refusal("no"),
            ToolCall("call_2", "f", '{"a": 1}', SIGNATURE, CacheMark("5m")),
        ),
    ),
)


def session(**fields: Any) -> Session:
    """One of a minute's life."""
    return Session(id="sess_1", created_at=1.5, ttl_seconds=60.0, **fields)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(session(), id="empty"),
        pytest.param(session(own_ttl=False, context={"team": "red", "n": [1, {"x": None}]}), id="context"),
        pytest.param(
            session(system=(Text("Be brief.", CacheMark()),), messages=EVERYTHING, executed=("call_1",)),
            id="every kind of part",
        ),
    ],
)
def test_what_is_stored_comes_back(kept: Session) -> None:
    """Nothing of it is lost, signatures and marks included."""
    assert kept == decode(encode(kept))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"version": 2}', id="another version"),
        pytest.param(encode(session()).replace(b'"own_ttl"', b'"new_field"'), id="other fields"),
        pytest.param(encode(session(messages=EVERYTHING)).replace(b'"audio"', b'"film"'), id="an unknown part"),
        pytest.param(encode(session(messages=EVERYTHING)).replace(b'"gemini"', b'"new"'), id="an unknown issuer"),
    ],
)
def test_what_it_cannot_read_is_not_there(stored: bytes) -> None:
    """Another version's record is no crash."""
    assert decode(stored) is None


def turn(number: int, size: int) -> tuple[Message, Message]:
    """A question of so many characters, and its answer."""
    return Message(Role.USER, (Text(f"{number}".ljust(size)),)), Message(Role.ASSISTANT, (Text(f"{number}"),))


def test_the_oldest_turns_are_forgotten_at_the_bound() -> None:
    """Whole turns, and no more of them than has to be."""
    third = MAX_BYTES // 3
    kept = session(messages=(*turn(1, third), *turn(2, third), *turn(3, third)))
    stored = encode(kept)
    assert 2 * third < len(stored) <= MAX_BYTES
    read = decode(stored)
    assert read is not None
    assert kept.messages[2:] == read.messages


def test_a_turn_that_is_too_large_alone_is_not_kept() -> None:
    """Rather than half of it."""
    with pytest.raises(TooLarge):
        encode(session(messages=(*turn(1, 10), *turn(2, MAX_BYTES))))


def test_it_is_json_that_tells_its_version() -> None:
    """So that a later version can tell what it reads."""
    assert 1 == orjson.loads(encode(session()))["version"]
