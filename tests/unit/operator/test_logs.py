"""A log line is JSON and holds nothing that an object or a Secret holds."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from understudy_operator import logs
from understudy_operator.cluster import Unavailable

CANARY = "sk-canary-0123456789"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where logs go during the test, at the most talkative level."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("kopf", "asyncio", "aiohttp", "kubernetes")}
    stream = io.StringIO()
    logs.configure("debug", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json(stream: io.StringIO) -> None:
    """Time, level, who says it, what, and what belongs to it."""
    logging.getLogger("understudy_operator.x").info("two\nlines", extra={"revision": "r1", "seconds": 0.5})
    (line,) = lines(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "understudy_operator.x",
        "message": "two\nlines",
        "revision": "r1",
        "seconds": 0.5,
    }


class _Model(BaseModel):
    port: int


def _fail_as_pydantic() -> None:
    _Model.model_validate({"port": CANARY})


def _fail_as_others() -> None:
    raise RuntimeError(f"cannot use {CANARY}")


@pytest.mark.parametrize("fail", [_fail_as_pydantic, _fail_as_others], ids=["pydantic", "any other"])
def test_foreign_exceptions_are_not_quoted(stream: io.StringIO, fail: Any) -> None:
    """Their messages may quote what they choked on: type and place must do."""
    try:
        fail()
    except (ValidationError, RuntimeError):
        logging.getLogger("understudy_operator.x").exception("it failed")
    (line,) = lines(stream)
    assert CANARY not in stream.getvalue()
    assert line["error"] in {"ValidationError", "RuntimeError"}
    assert any("test_logs.py" in frame for frame in line["stack"])


def _fail_as_ours() -> None:
    raise Unavailable("GET /api/v1/pods: 503")


def test_our_own_exceptions_say_what_happened(stream: io.StringIO) -> None:
    """Their messages are made for the one who reads the log."""
    try:
        _fail_as_ours()
    except Unavailable:
        logging.getLogger("understudy_operator.x").exception("it failed")
    (line,) = lines(stream)
    assert line["error"] == "Unavailable: GET /api/v1/pods: 503"


@pytest.mark.parametrize("name", ["kopf.objects", "asyncio", "aiohttp.access", "kubernetes.aio.client.rest"])
def test_other_peoples_details_are_left_out(stream: io.StringIO, name: str) -> None:
    """They print bodies at debug level, and too much at info."""
    logging.getLogger(name).debug("body %s", CANARY)
    logging.getLogger(name).info("body %s", CANARY)
    logging.getLogger(name).warning("a warning")
    assert [line["message"] for line in lines(stream)] == ["a warning"]


def test_what_kopf_attaches_is_left_out(stream: io.StringIO) -> None:
    """It adds the object and its settings to its records."""
    logging.getLogger("kopf").warning("hm", extra={"k8s_ref": {"name": "x"}, "k8s_skip": True, "settings": object()})
    (line,) = lines(stream)
    assert line.keys() == {"time", "level", "logger", "message"}


def test_kopf_is_meant_to_be_in_a_thread(stream: io.StringIO) -> None:
    """Its warning about signals would only worry people."""
    logging.getLogger("kopf._core.reactor.running").warning("OS signals are ignored: running not in the main thread.")
    assert lines(stream) == []


def test_values_are_bounded(stream: io.StringIO) -> None:
    """A line never grows with what it tells of."""
    logging.getLogger("understudy_operator.x").info("x" * 100_000, extra={"error": "y" * 100_000, "v": SecretStr("z")})
    assert len(stream.getvalue()) < 6000
