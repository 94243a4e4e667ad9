"""The line that each request leaves in the log."""

import json
from typing import Any

from harness.runtimes import a_backend, a_provider, a_rule, a_runtime, a_target
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.telemetry.access import AccessLog
from understudy_proxy.telemetry.logs import LogWriter
from understudy_proxy.telemetry.masking import MASK, Masker
from understudy_proxy.telemetry.record import RequestRecord


def line_of(record: RequestRecord, *secrets: str) -> dict[str, Any]:
    """What is written for `record` while `secrets` are loaded."""
    arrived = bytearray()
    masker = Masker()
    masker.remember(secrets)
    with LogWriter(arrived.extend) as writer:
        AccessLog(writer, masker, clock=lambda: 1_000_000_000.5).write(record)
    line: dict[str, Any] = json.loads(arrived)
    return line


def test_says_what_a_person_looks_for() -> None:
    """Who asked for what, who answered, how, and for how long."""
    target = a_target("ai/chat", a_rule(a_backend("ai/main", "m")))
    runtime = a_runtime(a_provider("ai/main", "m"), targets=[target])
    record = RequestRecord(
        request_id="req_1",
        started=10.0,
        stream=True,
        status=200,
        target=runtime.targets["LLMRoute/ai/chat"],
        candidate=runtime.upstreams["ai/main"].candidates["m"],
        attempts=2,
        failovers=1,
        reason="rate_limited",
        first_token=10.25,
        finished=11.0,
        usage=Usage(input=3, output=4),
        namespace="web",
        revision="r1",
    )
    assert {
        "time": "2001-09-09T01:46:40.500000Z",
        "level": "info",
        "logger": "access",
        "message": "request",
        "request_id": "req_1",
        "route": "ai/chat",
        "provider": "ai/main",
        "model": "m",
        "status": 200,
        "stream": True,
        "attempts": 2,
        "failovers": 1,
        "reason": "rate_limited",
        "ms": 1000.0,
        "first_token_ms": 250.0,
        "input_tokens": 3,
        "output_tokens": 4,
        "namespace": "web",
        "revision": "r1",
    } == line_of(record)


def test_a_refused_request_is_a_line_too() -> None:
    """What led nowhere is known by its status and reason."""
    record = RequestRecord(request_id="req_1", started=1.0, finished=1.001, status=404, reason="model_not_found")
    line = line_of(record)
    assert (404, "model_not_found", None, None) == (line["status"], line["reason"], line["route"], line["provider"])


def test_a_key_sent_as_request_id_is_masked() -> None:
    """The id is the one field that a client chooses."""
    record = RequestRecord(request_id="not-a-pattern", started=1.0, finished=1.0)
    assert MASK == line_of(record, "not-a-pattern")["request_id"]
