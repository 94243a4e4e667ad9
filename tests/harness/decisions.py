"""The decision table: what an upstream does, and what a caller sees of it, whatever both of them speak."""

from dataclasses import dataclass

import pytest

from understudy_api.config import RetryPolicy, Timeouts

QUICK = RetryPolicy(base_seconds=0.001, max_seconds=0.01)
TIMEOUTS = Timeouts(connect_seconds=2, first_token_seconds=0.3, stream_idle_seconds=0.3, request_seconds=0.6)

PATIENT = Timeouts(connect_seconds=5, first_token_seconds=30, stream_idle_seconds=30, request_seconds=60)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the decision table: what a caller sees of a fault.

    Attributes:
        fault: What the backend does.
        status: What the caller gets when nobody else is there.
        reason: Why, in a word.
        attempts: How often the backend is asked.
        moves_on: Whether another backend is asked.
    """

    fault: str
    status: int
    reason: str
    attempts: int
    moves_on: bool


BEFORE_THE_ANSWER = [
    pytest.param(Row("refuse", 502, "connection_reset", 2, moves_on=True), id="connection closed"),
    pytest.param(Row("reset", 502, "connection_reset", 2, moves_on=True), id="connection reset"),
    pytest.param(Row("stall", 504, "request_timeout", 1, moves_on=True), id="silence after the headers"),
    pytest.param(Row("delay:5s", 504, "request_timeout", 1, moves_on=True), id="silence before the headers"),
    pytest.param(Row("slow-headers:5s", 504, "request_timeout", 1, moves_on=True), id="headers that dribble"),
    pytest.param(Row("408", 504, "upstream_timeout", 3, moves_on=True), id="408"),
    pytest.param(Row("409", 409, "conflict", 1, moves_on=False), id="409"),
    pytest.param(Row("429", 429, "rate_limited", 1, moves_on=True), id="429"),
    pytest.param(Row("429;retry-after=30", 429, "rate_limited", 1, moves_on=True), id="429, to wait long"),
    pytest.param(Row("429;retry-after-ms=5", 429, "rate_limited", 3, moves_on=True), id="429, to wait a moment"),
    pytest.param(Row("quota", 429, "quota_exceeded", 1, moves_on=True), id="429 of quota"),
    pytest.param(Row("402", 429, "quota_exceeded", 1, moves_on=True), id="402"),
    pytest.param(Row("500", 500, "server_error", 2, moves_on=True), id="500"),
    pytest.param(Row("502", 502, "server_error", 2, moves_on=True), id="502"),
    pytest.param(Row("503", 503, "overloaded", 2, moves_on=True), id="503"),
    pytest.param(Row("503;retry-after=30", 503, "overloaded", 1, moves_on=True), id="503, to wait long"),
    pytest.param(Row("504", 504, "server_error", 2, moves_on=True), id="504"),
    pytest.param(Row("529", 503, "overloaded", 2, moves_on=True), id="529"),
    pytest.param(Row("401", 502, "authentication", 1, moves_on=True), id="401"),
    pytest.param(Row("403", 502, "authentication", 1, moves_on=True), id="403"),
    pytest.param(Row("404", 404, "model_not_found", 1, moves_on=True), id="404"),
    pytest.param(Row("400", 400, "bad_request", 1, moves_on=False), id="400"),
    pytest.param(Row("413", 413, "bad_request", 1, moves_on=False), id="413"),
    pytest.param(Row("422", 422, "bad_request", 1, moves_on=False), id="422"),
    pytest.param(
        Row("context", 400, "context_length_exceeded", 1, moves_on=False),
        id="context length, nobody's window is larger",
    ),
    pytest.param(Row("filter", 400, "content_filtered", 1, moves_on=False), id="content filter"),
    pytest.param(Row("302", 502, "redirect", 1, moves_on=True), id="redirect"),
    pytest.param(Row("html:502", 502, "server_error", 2, moves_on=True), id="HTML of a load balancer"),
    pytest.param(Row("html:200", 502, "invalid_response", 1, moves_on=True), id="HTML that says 200"),
    pytest.param(Row("garbage", 502, "invalid_response", 1, moves_on=True), id="garbage"),
    pytest.param(Row("error-first", 502, "server_error", 2, moves_on=True), id="200 with an error"),
    pytest.param(Row("error-first;error=429", 429, "rate_limited", 1, moves_on=True), id="200 with a rate limit"),
    pytest.param(
        Row("error-first;error=context", 400, "context_length_exceeded", 1, moves_on=False),
        id="200 with a client error",
    ),
    pytest.param(Row("role-then-error", 502, "server_error", 2, moves_on=True), id="error after the role"),
]
WHOLE_ONLY = [
    pytest.param(Row("empty", 502, "invalid_response", 1, moves_on=True), id="empty body"),
    pytest.param(Row("cut-after:2", 502, "interrupted", 1, moves_on=True), id="cut in the middle"),
    pytest.param(Row("reset-after:2", 502, "interrupted", 1, moves_on=True), id="reset in the middle"),
    pytest.param(Row("end-after:2", 502, "invalid_response", 1, moves_on=True), id="half an answer"),
    pytest.param(Row("stall-after:2", 504, "request_timeout", 1, moves_on=True), id="silence in the middle"),
    pytest.param(Row("error-after:2", 502, "server_error", 2, moves_on=True), id="error in the middle"),
]
STREAM_ONLY = [pytest.param(Row("empty", 502, "interrupted", 1, moves_on=True), id="no event at all")]
AFTER_THE_BEGINNING = [
    pytest.param("cut-after:2", "interrupted", id="connection closed"),
    pytest.param("reset-after:2", "interrupted", id="connection reset"),
    pytest.param("end-after:2", "interrupted", id="a clean end that is none"),
    pytest.param("stall-after:2", "stream_idle", id="silence"),
    pytest.param("error-after:2", "server_error", id="error"),
    pytest.param("error-after:2;error=429", "rate_limited", id="rate limit"),
]
