"""How long a provider asks to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_proxy.dialects.failures.waiting import MAX_SECONDS, duration_seconds, retry_after_seconds

RETRY_INFO = {
    "details": [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo"},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"},
    ]
}
SUNDAY = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:50:07 GMT"


@pytest.mark.parametrize(
    ("headers", "error", "seconds"),
    [
        pytest.param({"retry-after-ms": "150"}, {}, 0.15, id="milliseconds"),
        pytest.param({"retry-after-ms": "150.5"}, {}, 0.1505, id="fractions of milliseconds"),
        pytest.param({"x-ms-retry-after-ms": "2000"}, {}, 2.0, id="Azure"),
        pytest.param({"retry-after": "7"}, {}, 7.0, id="seconds"),
        pytest.param({"retry-after": "0.2"}, {}, 0.2, id="fractions of seconds"),
        pytest.param({"retry-after": LATER, "date": SUNDAY}, {}, 30.0, id="a date, from the provider's own clock"),
        pytest.param({"retry-after": SUNDAY, "date": LATER}, {}, 0.0, id="a date in the past"),
        pytest.param({"retry-after": LATER}, {}, None, id="a date without a clock to compare it with"),
        pytest.param({"retry-after-ms": "150", "retry-after": "7"}, {}, 0.15, id="milliseconds before seconds"),
        pytest.param(
            {
                "date": SUNDAY,
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "1994-11-06T08:49:40Z",
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "1994-11-06T08:50:07Z",
                "anthropic-ratelimit-output-tokens-remaining": "7",
                "anthropic-ratelimit-output-tokens-reset": "1994-11-06T09:50:07Z",
            },
            {},
            30.0,
            id="Anthropic's times",
        ),
        pytest.param(
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "1994-11-06T08:49:40Z",
            },
            {},
            None,
            id="a time without a clock to compare it with",
        ),
        pytest.param(
            {
                "date": SUNDAY,
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "soon",
            },
            {},
            None,
            id="a time that is none",
        ),
        pytest.param({"retry-after-ms": "soon", "retry-after": "7"}, {}, 7.0, id="an unreadable one is passed over"),
        pytest.param({"retry-after": "7"}, RETRY_INFO, 7.0, id="headers before the body"),
        pytest.param({}, RETRY_INFO, 34.5, id="Google's RetryInfo"),
        pytest.param(
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1m3s",
                "x-ratelimit-remaining-tokens": "1200",
                "x-ratelimit-reset-tokens": "6h0m0s",
            },
            {},
            63.0,
            id="the reset of the budget that is used up",
        ),
        pytest.param(
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "12ms",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "2s",
            },
            {},
            2.0,
            id="of two used-up budgets the later",
        ),
        pytest.param({}, {}, None, id="nothing said"),
        pytest.param({"retry-after": "-5"}, {}, 0.0, id="negative"),
        pytest.param({"retry-after": "1e300"}, {}, MAX_SECONDS, id="absurd"),
        pytest.param({"retry-after": "inf"}, {}, None, id="infinite"),
        pytest.param({"retry-after": "nan"}, {}, None, id="not a number"),
        pytest.param({"retry-after": "9" * 5000}, {}, MAX_SECONDS, id="a very long number"),
        pytest.param({}, {"details": "RetryInfo"}, None, id="details that are none"),
        pytest.param({}, {"details": [None, {"retryDelay": 5}]}, None, id="a delay that is none"),
    ],
)
def test_retry_after(headers: dict[str, str], error: dict[str, object], seconds: float | None) -> None:
    """Every way of saying it is understood, in the order of the vendors' own SDKs, within bounds."""
    assert retry_after_seconds(headers, error) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("12ms", 0.012),
        ("1s", 1.0),
        ("2m59.56s", 179.56),
        ("1h2m3s", 3723.0),
        ("1d", 86_400.0),
        ("", None),
        ("5", None),
        ("five seconds", None),
        ("5s later", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    """Go's durations are read, and nothing else is taken for one."""
    assert duration_seconds(text) == seconds


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "date"]), st.text()))
def test_whatever_a_header_says_the_wait_is_bounded(headers: dict[str, str]) -> None:
    """No header of a provider raises, or keeps it away for longer than a day."""
    seconds = retry_after_seconds(headers, {})
    assert seconds is None or 0.0 <= seconds <= MAX_SECONDS
