"""The head of a response, byte by byte."""

import re

import pytest

from understudy_proxy.doors import wire
from understudy_proxy.doors.door import Answer


def _head(answer: Answer, *, framing: str = "", close: bool = False) -> list[bytes]:
    return wire.head(answer, request_id="req_1", framing=framing, close=close).split(b"\r\n")


def test_a_head() -> None:
    """Status, type, own headers, both ids, date, length, and whether the connection goes on."""
    answer = Answer(429, b"body", headers=(("retry-after", "1"),))
    lines = _head(answer, framing=wire.content_length(4), close=True)
    date = lines.pop(5)
    assert re.fullmatch(rb"date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
    assert lines == [
        b"HTTP/1.1 429 Too Many Requests",
        b"content-type: application/json",
        b"retry-after: 1",
        b"x-request-id: req_1",
        b"request-id: req_1",
        b"content-length: 4",
        b"connection: close",
        b"",
        b"",
    ]


def test_a_status_without_a_name() -> None:
    """A provider's own status still makes a valid status line."""
    assert _head(Answer(529))[0] == b"HTTP/1.1 529 "


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("a\r\nset-cookie: x", b"x-understudy-model: a??set-cookie: x", id="line break"),
        pytest.param("a\x00b\x7f", b"x-understudy-model: a?b?", id="control characters"),
        pytest.param("modèle", b"x-understudy-model: mod?le", id="not ASCII"),
    ],
)
def test_a_value_cannot_end_its_line(value: str, expected: bytes) -> None:
    """Names in a configuration may hold anything; a header holds one line of ASCII."""
    lines = _head(Answer(headers=(("x-understudy-model", value),)))
    assert expected in lines
    assert not any(line.startswith(b"set-cookie") for line in lines)


def test_a_chunk() -> None:
    """The length in hexadecimal, the data, and the ends of both lines."""
    assert wire.chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
