"""What a handler said, as a result or an error."""

from typing import Any

import pytest

from understudy_proxy.tools.answers import read_answer
from understudy_proxy.tools.calling import HandlerAnswer
from understudy_proxy.tools.outcome import Outcome, OutcomeKind


def read(status: int, body: bytes, *, content_type: str = "application/json", location: str = "") -> Outcome:
    """The outcome of such an answer."""
    answer = HandlerAnswer(status=status, content_type=content_type, location=location, body=body)
    return read_answer(answer, secret="tok-0\"1'2")


@pytest.mark.parametrize(
    ("content_type", "body", "result", "text"),
    [
        pytest.param("application/json", b' {"a": [1, 2.5]} ', {"a": [1, 2.5]}, '{"a":[1,2.5]}', id="JSON"),
        pytest.param("application/problem+json", b"[]", [], "[]", id="JSON by suffix"),
        pytest.param("application/json", b'"words"', "words", "words", id="JSON string"),
        pytest.param("application/octet-stream", b"17", 17, "17", id="JSON that is not called so"),
        pytest.param("text/plain", b'{"a": 1}', '{"a": 1}', '{"a": 1}', id="text is text"),
        pytest.param("text/html", "<p>ä</p>".encode(), "<p>ä</p>", "<p>ä</p>", id="HTML"),
        pytest.param("", "ä".encode(), "ä", "ä", id="text of no type"),
        pytest.param("application/json", b"\xef\xbb\xbf[]", [], "[]", id="with a byte order mark"),
        pytest.param("application/json", b"", None, "null", id="nothing"),
    ],
)  # fmt: skip
def test_results(content_type: str, body: bytes, result: Any, text: str) -> None:
    """JSON stays JSON, text is text; a model reads either."""
    outcome = read(200, body, content_type=content_type)
    assert (OutcomeKind.SUCCESS, True, None) == (outcome.kind, outcome.success, outcome.error)
    assert (result, text) == (outcome.result, outcome.text)


@pytest.mark.parametrize(
    ("status", "content_type", "body", "kind", "error"),
    [
        pytest.param(200, "application/json", b"{", "invalid_answer", "its answer is not JSON: ", id="broken JSON"),
        pytest.param(200, "application/json", b"NaN", "invalid_answer", "its answer is not JSON: ", id="NaN"),
        pytest.param(
            200, "image/png", b"\x89PNG\xff", "invalid_answer",
            "its answer is neither JSON nor UTF-8 text, but image/png", id="picture",
        ),
        pytest.param(
            200, "application/json", b"[" * 600 + b"]" * 600, "invalid_answer", "its answer is nested too deep",
            id="deep",
        ),
        pytest.param(500, "text/plain", b"oops\n\n", "failed", "it answered 500 Internal Server Error: oops", id="500"),
        pytest.param(599, "text/plain", b"", "failed", "it answered 599", id="unknown status"),
        pytest.param(404, "application/json", b'{"detail": "no such chunk"}', "failed",
                     "it answered 404 Not Found: no such chunk", id="FastAPI"),
        pytest.param(400, "application/json", b'{"error": {"message": "no query"}}', "failed",
                     "it answered 400 Bad Request: no query", id="nested error"),
        pytest.param(409, "application/json", b'{"errors": [1]}', "failed",
                     'it answered 409 Conflict: {"errors": [1]}', id="JSON of no usual form"),
        pytest.param(502, "text/html", b"\xff\xfe", "failed", "it answered 502 Bad Gateway: ", id="bytes"),
    ],
)  # fmt: skip
def test_failures(status: int, content_type: str, body: bytes, kind: str, error: str) -> None:
    """Each says what happened in words that a model can act on."""
    outcome = read(status, body, content_type=content_type)
    assert (kind, False, None) == (outcome.kind, outcome.success, outcome.result)
    assert outcome.error is not None
    assert outcome.error.startswith(error)
    assert outcome.error == outcome.text


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_redirects(status: int) -> None:
    """They are told, and not followed."""
    outcome = read(status, b"", location="http://169.254.169.254/latest")
    assert OutcomeKind.REDIRECT == outcome.kind
    assert "would send on to http://169.254.169.254/latest" in outcome.text


def test_long_errors() -> None:
    """A page of HTML as an error is cut."""
    assert len(read(500, b"x" * 100_000, content_type="text/html").text) < 400


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_the_token_is_not_told(status: int, content_type: str) -> None:
    """A tool that quotes what it was called with gives its token away to nobody."""
    body = b'{"detail": "you sent Bearer tok-0\\"1\'2"}' if content_type != "text/plain" else b"Bearer tok-0\"1'2"
    outcome = read(status, body, content_type=content_type)
    assert "tok-0" not in outcome.text
    assert "***" in outcome.text or "…" in outcome.text
