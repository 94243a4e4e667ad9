"""Errors, as OpenAI's own client understands them."""

import orjson
import pytest

from understudy_proxy.dialects.openai import errors
from understudy_proxy.failure import FailureKind, UpstreamFailure


def test_the_body_of_an_error() -> None:
    """An error has all four fields, the absent ones as null."""
    assert orjson.loads(errors.render("No such model", type="invalid_request_error", code="model_not_found")) == {
        "error": {
            "message": "No such model",
            "type": "invalid_request_error",
            "param": None,
            "code": "model_not_found",
        }
    }


@pytest.mark.parametrize("kind", [FailureKind.STREAM_IDLE, FailureKind.INTERRUPTED, FailureKind.RATE_LIMITED])
def test_an_interrupted_stream_says_so(kind: FailureKind) -> None:
    """The client learns that the answer is not complete, and nothing of what the provider said."""
    event = errors.in_stream(UpstreamFailure(kind, "10.0.0.7 said: account 1234 is blocked"))
    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    error = orjson.loads(event[6:])["error"]
    assert (error["type"], error["code"], error["param"]) == ("upstream_error", "stream_interrupted", None)
    assert kind.value in error["message"]
    assert "10.0.0.7" not in error["message"]
