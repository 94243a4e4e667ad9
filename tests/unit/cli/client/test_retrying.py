"""When the client asks again: the table, and what an answer says of it."""

from datetime import UTC, datetime

import pytest

from understudy import (
    AuthenticationError,
    BadRequest,
    Facts,
    InvalidAnswer,
    PermissionDenied,
    ProviderError,
    ProviderNotFound,
    RateLimited,
    TimedOut,
    Unavailable,
    UnderstudyError,
)
from understudy.client._failures import from_answer, retry_after
from understudy.client._retrying import Retrying

NOW = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "retried", "expected"),
    [
        pytest.param(Unavailable("nobody"), 0, 0.25, id="nobody listens: half of the first wait"),
        pytest.param(Unavailable("nobody"), 1, 0.5, id="twice as long the second time"),
        pytest.param(Unavailable("nobody"), 9, 4.0, id="never longer than the longest"),
        pytest.param(Unavailable("nobody"), 10, None, id="as often as retries say"),
        pytest.param(ProviderError("500", Facts(status=500)), 0, 0.25, id="a provider's failure"),
        pytest.param(TimedOut("504", Facts(status=504)), 0, 0.25, id="the gateway's own timeout"),
        pytest.param(TimedOut("silence"), 0, None, id="the client's own timeout: the model may be at it still"),
        pytest.param(RateLimited("429", Facts(status=429, retry_after=2.0)), 0, 2.1, id="not before Retry-After"),
        pytest.param(RateLimited("429", Facts(status=429, retry_after=60.0)), 0, 60.5, id="a minute is waited for"),
        pytest.param(RateLimited("429", Facts(status=429, retry_after=61.0)), 0, None, id="more is not"),
        pytest.param(RateLimited("429", Facts(status=429, should_retry=False)), 0, None, id="advised against"),
        pytest.param(BadRequest("409", Facts(status=409, should_retry=True)), 0, 0.25, id="advised"),
        pytest.param(BadRequest("400", Facts(status=400)), 0, None, id="wrong stays wrong"),
        pytest.param(AuthenticationError("401", Facts(status=401)), 0, None, id="unknown stays unknown"),
        pytest.param(ProviderNotFound("404", Facts(status=404)), 0, None, id="no such name"),
        pytest.param(InvalidAnswer("html", Facts(status=200)), 0, None, id="another server"),
    ],
)
def test_when_it_is_asked_again(error: UnderstudyError, retried: int, expected: float | None) -> None:
    """With chance exactly in the middle."""
    assert Retrying(retries=10).wait(error, retried=retried, draw=0.5) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"retry-after-ms": "150", "retry-after": "7"}, 0.15, id="milliseconds first"),
        pytest.param({"retry-after": "0.2"}, 0.2, id="parts of a second"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 08:00:30 GMT"}, 30.0, id="a date"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 07:00:00 GMT"}, 0.0, id="a date that has passed"),
        pytest.param({"retry-after-ms": "soon", "retry-after": "3"}, 3.0, id="words are nothing"),
        pytest.param({"retry-after": "-1"}, None, id="less than nothing"),
        pytest.param({"retry-after": "inf"}, None, id="for ever"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_when_to_come_back(headers: dict[str, str], expected: float | None) -> None:
    """As the vendors' SDKs read it."""
    assert retry_after(headers, now=NOW) == expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest), (401, AuthenticationError), (403, PermissionDenied), (404, ProviderNotFound),
        (408, TimedOut), (409, BadRequest), (413, BadRequest), (422, BadRequest), (429, RateLimited),
        (500, ProviderError), (502, ProviderError), (503, Unavailable), (504, TimedOut), (529, Unavailable),
        (599, ProviderError), (302, InvalidAnswer),
    ],
)  # fmt: skip
def test_each_status_is_a_type(status: int, kind: type[UnderstudyError]) -> None:
    """So that an app catches what it can do something about."""
    error = from_answer(status, {}, b"")
    assert (type(error), error.status) == (kind, status)
    assert str(error) == f"the gateway answered {status} without a word"


@pytest.mark.parametrize(
    ("body", "said", "code"),
    [
        pytest.param(
            b'{"error": {"message": "Too much.", "code": "too_much"}}', "Too much.", "too_much", id="OpenAI's"
        ),
        pytest.param(b'{"error": "No."}', "No.", None, id="a text"),
        pytest.param(b'{"detail": "No."}', "No.", None, id="a detail"),
        pytest.param(b'{"error": {"message": 1, "code": 2}}', "", None, id="numbers"),
        pytest.param(b"<html>" + b"x" * 9_000, "", None, id="a page"),
        pytest.param(b"[" * 100_000, "", None, id="a nest"),
        pytest.param(b'{"error": {"message": "a\\u001b[2J\\nb"}}', "a [2J b", None, id="what a terminal would obey"),
    ],
)
def test_what_an_error_says(body: bytes, said: str, code: str | None) -> None:
    """Whatever form it has, in one line."""
    error = from_answer(429, {}, body)
    assert str(error) == (said or "the gateway answered 429 without a word")
    assert error.code == code


def test_nobody_in_the_mesh_offers_it() -> None:
    """The gateway's word for it counts more than the status, which is that of any outage."""
    error = from_answer(503, {}, b'{"error": {"message": "Nobody offers it.", "code": "provider_not_found"}}')
    assert isinstance(error, ProviderNotFound)


def test_what_an_error_knows() -> None:
    """The headers of the refusal, for logs and for decisions."""
    headers = {
        "x-request-id": "abc", "x-understudy-route": "default/chat", "x-understudy-provider": "default/main",
        "x-understudy-attempts": "3", "x-understudy-reason": "rate_limited", "retry-after": "7",
        "x-should-retry": "False",
    }  # fmt: skip
    error = from_answer(429, headers, b'{"error": {"message": "Later.", "code": "rate_limit_exceeded"}}')
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.request_id, error.code) == (7.0, "abc", "rate_limit_exceeded")
    facts = error.facts
    assert (facts.route, facts.provider, facts.attempts) == ("default/chat", "default/main", 3)
    assert (facts.reason, facts.should_retry) == ("rate_limited", False)
