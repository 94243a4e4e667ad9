"""The decision table in every dialect: what each provider's failures mean, and how each client is told.

What is the same whichever dialect is spoken, as how long to wait for a connection, is in `test_gateway_faults`. Not
every client meets every provider here: each meets every fault, from a provider that changes from row to row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest

from harness.callers import CALLERS
from harness.callers.caller import Asking
from harness.decisions import (
    AFTER_THE_BEGINNING,
    BEFORE_THE_ANSWER,
    PATIENT,
    QUICK,
    STREAM_ONLY,
    TIMEOUTS,
    WHOLE_ONLY,
    Row,
)
from harness.errors import IN_ITS_WORDS, LEFT_TO_THE_CLIENT, telling, telling_in_stream
from harness.gateways import Serving, in_order, route, snapshot
from harness.raw_http import Answer
from harness.vendors import VENDORS
from understudy.mock import Mock, Settings

EXCEPTIONS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    # A mere text, whose words are none that could be known.
    ("ollama", "quota"): {"reason": "rate_limited"},
    ("ollama", "filter"): {"reason": "bad_request"},
    ("ollama", "error-first;error=429"): {"status": 502, "reason": "server_error", "attempts": 2},
    # Its filter answers with status 200; see `test_gateway_pairs`.
    ("gemini", "filter"): {"reason": "bad_request"},
    # Its errors have their status in them.
    ("gemini", "error-first"): {"status": 500},
    ("gemini", "role-then-error"): {"status": 500},
    ("gemini", "error-after:2"): {"status": 500},
    ("bedrock", "error-first"): {"status": 500},
    ("bedrock", "role-then-error"): {"status": 500},
}
NAMELESS: Mapping[str, Any] = {"status": 502, "reason": "invalid_response", "attempts": 1, "moves_on": True}
"""Bedrock's whole answer that is an error: its name is in a header, which comes only with the status of an error."""
SLOW = frozenset({"stall", "delay:5s", "slow-headers:5s", "stall-after:2"})


def _rows(table: Iterable[pytest.ParameterSet], *modes: str) -> list[tuple[Row, str]]:
    rows = [row for case in table for row in case.values if isinstance(row, Row)]
    return [(row, mode) for row in rows for mode in modes]


ROWS = _rows(BEFORE_THE_ANSWER, "whole", "stream") + _rows(WHOLE_ONLY, "whole") + _rows(STREAM_ONLY, "stream")
FAST = [(row, mode) for row, mode in ROWS if row.fault not in SLOW]


def _by_turns(given: Mapping[str, object], others: Mapping[str, object], *, rows: list[tuple[Row, str]]) -> list[Any]:
    """Each of `given` with each row, and with each of `others` in turn."""
    cases = []
    for place, name in enumerate(given):
        turns = cycle([*others][place:] + [*others][:place])
        for (row, mode), other in zip(rows, turns, strict=False):
            cases.append(pytest.param(name, other, row, mode == "stream", id=f"{name}-{other}-{row.fault}-{mode}"))
    return cases


def _row(vendor: str, row: Row, *, stream: bool) -> Row:
    if vendor == "bedrock" and not stream and row.fault.startswith(("error-", "role-")):
        return replace(row, **NAMELESS)
    return replace(row, **EXCEPTIONS.get((vendor, row.fault), {}))


async def _check_alone(caller: str, vendor: str, row: Row, *, stream: bool) -> None:
    asks, row = CALLERS[caller], _row(vendor, row, stream=stream)
    async with Mock(name="a", faults=[row.fault]) as mock:
        given = VENDORS[vendor].provider("a", mock.url, timeouts=TIMEOUTS if row.fault in SLOW else PATIENT)
        async with Serving(snapshot([given], [route("chat", *in_order("a"), retry=QUICK)])) as gateway:
            answer = await asks.send(gateway.port, Asking([asks.user("hi")], stream=stream))
        assert (row.reason, str(row.attempts), row.attempts) == (
            answer.headers["x-understudy-reason"],
            answer.headers["x-understudy-attempts"],
            mock.stats.requests,
        )
    _check_told(caller, vendor, row, answer)


def _check_told(caller: str, vendor: str, row: Row, answer: Answer) -> None:
    wrong, wanted = CALLERS[caller].wrong(answer), telling(caller, row)
    assert wrong is not None
    assert (wanted.status, True) == (answer.status, bool(wrong.message))
    assert answer.headers["content-type"] == "application/json"
    if vendor == "openai" and row.reason in IN_ITS_WORDS:
        assert wrong.kind is not None or caller == "ollama"
    else:
        assert (wanted.kind, wanted.code) == (wrong.kind, wrong.code)
    left = row.reason in LEFT_TO_THE_CLIENT
    assert (None if left else "false") == answer.headers.get("x-should-retry")
    _check_hints(caller, row, answer, wrong.seconds)


def _check_hints(caller: str, row: Row, answer: Answer, seconds: float | None) -> None:
    """When to come back is where each client looks; and both names of the request's id are there."""
    whole, milliseconds = answer.headers.get("retry-after"), answer.headers.get("retry-after-ms")
    assert (row.status == 429 or "retry-after" in row.fault) == (whole is not None)
    assert (whole is None) == (milliseconds is None)
    if row.fault.endswith("retry-after=30"):
        assert ("30", "30000") == (whole, milliseconds)
    assert seconds == (int(milliseconds) / 1000 if milliseconds is not None and caller == "gemini" else None)
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    if caller == "anthropic":
        assert answer.json()["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize(("vendor", "caller", "row", "stream"), _by_turns(VENDORS, CALLERS, rows=FAST))
async def test_what_a_provider_says(vendor: str, caller: str, row: Row, stream: bool) -> None:
    """A provider's failure is what it is in the table, in whichever words the provider said it."""
    await _check_alone(caller, vendor, row, stream=stream)


@pytest.mark.parametrize(
    ("caller", "vendor", "row", "stream"),
    _by_turns(CALLERS, VENDORS, rows=[*FAST[1::2], *((row, mode) for row, mode in ROWS if row.fault == "stall")]),
)
async def test_what_a_client_is_told(caller: str, vendor: str, row: Row, stream: bool) -> None:
    """A client is told in its own dialect, with status, words and hints, whichever provider failed."""
    await _check_alone(caller, vendor, row, stream=stream)


@pytest.mark.parametrize(("vendor", "caller", "row", "stream"), _by_turns(VENDORS, CALLERS, rows=FAST))
async def test_another_vendor_steps_in(vendor: str, caller: str, row: Row, stream: bool) -> None:
    """With an understudy of another dialect the caller gets its answer, unless the request itself is at fault."""
    asks, row = CALLERS[caller], _row(vendor, row, stream=stream)
    names = [*VENDORS]
    other = VENDORS[names[(names.index(vendor) + 1) % len(names)]]
    async with Mock(name="a", faults=[row.fault]) as a, Mock(name="b") as b:
        providers = [VENDORS[vendor].provider("a", a.url), other.provider("b", b.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"), retry=QUICK)])) as gateway:
            answer = await asks.send(gateway.port, Asking([asks.user("hi")], stream=stream))
        if not row.moves_on:
            assert (telling(caller, row).status, 0) == (answer.status, b.stats.requests)
            return
        heard = asks.heard(answer, stream=stream)
        assert (200, True, "default/b", row.reason) == (
            answer.status,
            answer.complete,
            answer.headers["x-understudy-provider"],
            answer.headers["x-understudy-reason"],
        )
        assert ("This is b,", "stop") == (heard.text[:10], heard.finish)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("fault", "reason"), AFTER_THE_BEGINNING)
async def test_a_stream_that_breaks_off(fault: str, reason: str, caller: str, vendor: str) -> None:
    """After the first token a failure is an error in the stream and a cut: no end that is none, and nobody else."""
    if vendor == "ollama" and fault.endswith("429"):
        reason = "server_error"
    asks, paced = CALLERS[caller], Settings(token_interval=0.01)
    async with Mock(name="a", faults=[fault], settings=paced) as a, Mock(name="b") as b:
        providers = [VENDORS[vendor].provider("a", a.url, timeouts=TIMEOUTS), VENDORS["openai"].provider("b", b.url)]
        async with Serving(snapshot(providers, [route("chat", *in_order("a", "b"), retry=QUICK)])) as gateway:
            answer = await asks.send(gateway.port, Asking([asks.user("hi")], stream=True))
        assert (200, False, 0) == (answer.status, answer.complete, b.stats.requests)
    wrong, wanted = asks.wrong(answer), telling_in_stream(caller, reason)
    assert wrong is not None
    assert reason in wrong.message
    assert (wanted.kind, wanted.code) == (wrong.kind, wrong.code)
    assert asks.unfinished(asks.events(answer.body)[:-1]) == "This is"
