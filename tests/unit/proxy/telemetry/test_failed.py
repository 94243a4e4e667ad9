"""A line for each failed attempt: what an owner who hunts a 502 needs, and no flood."""

import logging
from typing import Any

import pytest

from harness.runtimes import a_choice
from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book
from understudy_proxy.telemetry.failed import PER_SECOND, FailureLog

DOWN = UpstreamFailure(FailureKind.SERVER_ERROR, "the GPU fell off the bus", status=500, type="server_error")


class _Told:
    """The lines, as records of `logging`."""

    def __init__(self, records: pytest.LogCaptureFixture) -> None:
        records.set_level(logging.INFO)
        self._records = records
        self.book = Book()
        self.log = FailureLog(self.book)

    def fails(self, failure: UpstreamFailure = DOWN, *, now: float = 0.0, of: str = "a/p:m", **where: Any) -> None:
        """An attempt fails."""
        self.log.write(a_choice(of, **where), failure, request_id="r1", now=now)

    def lines(self) -> list[dict[str, Any]]:
        """What was said, and at which level."""
        usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
        return [
            {"level": record.levelname, **{k: v for k, v in vars(record).items() if k not in usual}}
            for record in self._records.records
        ]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> _Told:
    """Lines to look at."""
    return _Told(caplog)


def test_says_what_the_provider_said(told: _Told) -> None:
    """Who failed, with which status and kind, in the provider's own words, and for which request."""
    told.fails(address="10.0.0.1:8000")
    assert [
        {
            "level": "WARNING",
            "request_id": "r1",
            "provider": "a/p",
            "model": "m",
            "address": "10.0.0.1:8000",
            "reason": "server_error",
            "status": 500,
            "said": "the GPU fell off the bus",
            "type": "server_error",
        }
    ] == told.lines()


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.BAD_REQUEST,
        FailureKind.CONFLICT,
        FailureKind.CONTEXT_LENGTH_EXCEEDED,
        FailureKind.CONTENT_FILTERED,
    ],
)
def test_a_callers_own_fault_is_no_trouble_and_quotes_nothing(told: _Told, kind: FailureKind) -> None:
    """What a provider says of a request may quote it: that goes to the caller, and not into the log."""
    told.fails(UpstreamFailure(kind, "I cannot talk about 'my secret diary'", status=400))
    (line,) = told.lines()
    assert ("INFO", kind, 400) == (line["level"], line["reason"], line["status"])
    assert "diary" not in str(line)


def test_an_outage_does_not_drown_the_log(told: _Told) -> None:
    """Of failures that are alike a few a second are told; the next line, and a metric, say how many were left out."""
    for _ in range(100):
        told.fails(now=10.0)
    assert PER_SECOND == len(told.lines())
    told.fails(now=11.0)
    assert [100 - PER_SECOND] == [line["suppressed"] for line in told.lines() if "suppressed" in line]
    assert {(): 100 - PER_SECOND} == told.book.samples()[families.LOG_SUPPRESSED.name]


def test_one_outage_hides_no_other(told: _Told) -> None:
    """Another model, provider or kind of failure has lines of its own."""
    for _ in range(100):
        told.fails()
    for other in ("a/p:n", "a/q:m"):
        told.fails(of=other)
    told.fails(UpstreamFailure(FailureKind.AUTHENTICATION, "no such key", status=401))
    assert [("a/p", "n"), ("a/q", "m"), ("a/p", "m")] == [
        (line["provider"], line["model"]) for line in told.lines()[PER_SECOND:]
    ]
