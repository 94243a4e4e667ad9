"""What goes on to an upstream of what a client sent."""

from dataclasses import dataclass, field

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from understudy_proxy.doors.door import Answer, EventStream
from understudy_proxy.doors.headers import forwarded

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class _Request:
    """A request with nothing but headers."""

    headers: CIMultiDictProxy[str]
    id: str = "req_1"
    method: str = "POST"
    path: str = ""
    query: str = ""
    rest: str = ""
    namespace: str | None = None
    received: float = 0.0
    cut_short: bool = field(default=False)

    async def body(self) -> bytes:
        return b""

    async def begin(self, answer: Answer) -> EventStream:
        raise AssertionError(answer)


def _forwarded(**headers: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return dict(forwarded(_Request(CIMultiDictProxy(CIMultiDict(named)))))


def test_credentials_and_the_rest_stay_here() -> None:
    """Nothing of the client goes on but what follows the request."""
    sent = _forwarded(
        authorization="Bearer mine",
        x_api_key="mine",
        cookie="a=b",
        host="gateway",
        accept_encoding="gzip",
        connection="x-secret",
        x_forwarded_for="10.0.0.1",
        x_stainless_lang="python",
    )
    assert sent == {"x-request-id": "req_1"}


def test_a_trace_goes_on() -> None:
    """The W3C trace context reaches the upstream as it came."""
    sent = _forwarded(Traceparent=TRACE, tracestate="vendor=1")
    assert sent == {"x-request-id": "req_1", "traceparent": TRACE, "tracestate": "vendor=1"}


@pytest.mark.parametrize("traceparent", ["", "00-xyz", TRACE.upper(), f"{TRACE}\x01", f"{TRACE}-{'x' * 1000}"])
def test_a_trace_that_is_none_does_not(traceparent: str) -> None:
    """What is no trace context, or too much of one, is left out, and its state with it."""
    assert _forwarded(traceparent=traceparent, tracestate="vendor=1") == {"x-request-id": "req_1"}


def test_a_state_too_long_is_left_out_alone() -> None:
    """The trace goes on without a state that is too long."""
    sent = _forwarded(traceparent=TRACE, tracestate="v=" + "x" * 600)
    assert sent == {"x-request-id": "req_1", "traceparent": TRACE}
