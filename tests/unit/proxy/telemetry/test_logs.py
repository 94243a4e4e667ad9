"""Log lines: JSON, whole, bounded, without secrets, and never in a request's way."""

import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from understudy_proxy.telemetry.logs import JsonHandler, LogWriter, logging_through
from understudy_proxy.telemetry.masking import Masker

CANARY = "sk-canary-9f8e7d"


@pytest.fixture
def written() -> list[bytes]:
    """What reached the other side."""
    return []


@pytest.fixture
def lines(written: list[bytes]) -> Iterator[list[dict[str, Any]]]:
    """Everything logged in the test, parsed, as it would be written."""
    masker = Masker()
    masker.remember([CANARY, "plainvalue1"])
    parsed: list[dict[str, Any]] = []

    def put(line: bytes) -> None:
        written.append(line)
        parsed.append(json.loads(line))

    with logging_through(put, level="debug", masker=masker):
        yield parsed


def test_a_line_says_when_where_and_what(lines: list[dict[str, Any]]) -> None:
    """Fields given as `extra` are fields of the line."""
    logging.getLogger("here").warning("%s is out", "ai/main", extra={"endpoint": "ai/main", "ms": 1.5})
    (line,) = lines
    assert line.pop("time").endswith("Z")
    assert {"level": "warning", "logger": "here", "message": "ai/main is out", "endpoint": "ai/main", "ms": 1.5} == line


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"msg": "two\nlines"}, "two\nlines", id="a line break"),
        pytest.param({"msg": "half a pair \ud83d"}, "half a pair \ud83d", id="a lone surrogate"),
        pytest.param({"msg": "an object", "path": object(), "rows": {1: {2, 3}}}, "an object", id="no JSON"),
        pytest.param({"msg": "%d does not fit", "args": ("a string",)}, "%d does not fit", id="a wrong format"),
    ],
)
def test_one_line_whatever_is_logged(fields: dict[str, Any], message: str) -> None:
    """Nothing that is logged breaks a line, or fails where it is logged."""
    written: list[bytes] = []
    JsonHandler(written.append, Masker()).handle(logging.makeLogRecord(fields))
    (line,) = written
    assert (json.loads(line)["message"], line.count(b"\n")) == (message, 1)


def test_the_canary_never_sings(lines: list[dict[str, Any]], written: list[bytes]) -> None:
    """A loaded key reaches no line: not as message, argument, field or traceback, nor inside another structure."""
    log = logging.getLogger("here")
    log.info("the key is %s", CANARY)
    log.info("fields", extra={"headers": {"authorization": f"Bearer {CANARY}", "x": ["plainvalue1"]}, CANARY: 1})
    try:
        int(f"upstream said: bad key {CANARY}")
    except ValueError:
        log.exception("it failed with plainvalue1")
    assert 3 == len(lines)
    assert "ValueError" in lines[-1]["exception"]
    everything = b"".join(written)
    assert CANARY.encode() not in everything
    assert b"plainvalue1" not in everything


def test_logging_goes_back_to_what_it_was() -> None:
    """A gateway inside another program leaves that program's logging alone afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    with logging_through(lambda _line: None, level="error", masker=Masker()):
        assert 1 == len(root.handlers)
    assert before == (root.handlers[:], root.level)


def test_keeps_the_order_and_loses_nothing() -> None:
    """All lines arrive, in order, the last ones too when the process ends."""
    arrived = bytearray()
    with LogWriter(arrived.extend) as writer:
        for number in range(5000):
            writer.put(f"{number}\n".encode())
    assert [str(number) for number in range(5000)] == arrived.decode().split()
    assert 0 == writer.dropped


def test_writes_pieces_that_workers_cannot_tear() -> None:
    """Several workers share one pipe: whole lines, up to what a pipe takes in one piece."""
    pieces: list[bytes] = []
    with LogWriter(pieces.append) as writer:
        for number in range(300):
            writer.put(f"{number} {'x' * 97}\n".encode())
        writer.put(b"y" * 9000 + b"\n")
    assert all(len(piece) <= 4096 and piece.endswith(b"\n") for piece in pieces[:-1])
    assert b"y" * 9000 + b"\n" == pieces[-1]


def test_drops_and_counts_when_nobody_reads() -> None:
    """A stuck reader costs lines, not requests and not memory."""
    stuck, entered = threading.Event(), threading.Event()

    def write(_data: bytes) -> None:
        entered.set()
        stuck.wait(10)

    with LogWriter(write, capacity=100) as writer:
        writer.put(b"first\n")
        assert entered.wait(10)
        for _ in range(150):
            writer.put(b"more\n")
        assert 50 == writer.dropped
        stuck.set()


def test_counts_what_could_not_be_written() -> None:
    """A closed pipe is no reason to stop serving."""

    def write(_data: bytes) -> None:
        raise BrokenPipeError

    with LogWriter(write) as writer:
        writer.put(b"one\n")
        writer.put(b"two\n")
    assert 2 == writer.dropped
