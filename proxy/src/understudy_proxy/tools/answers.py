"""What a handler said, as a result or an error that a model can read."""

import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import orjson

from understudy_proxy.failure import bounded
from understudy_proxy.telemetry.masking import MASK
from understudy_proxy.tools.calling import HandlerAnswer
from understudy_proxy.tools.outcome import Outcome, OutcomeKind

_MARK = b"\xef\xbb\xbf"
"""A byte order mark, with which some libraries begin any UTF-8."""
_WHY = ("error", "detail", "message", "title")
"""Where JSON errors say what happened."""


def read_answer(answer: HandlerAnswer, *, secret: str | None) -> Outcome:
    """What it comes to; the token that the tool was given is in nothing of it."""
    body = _without(secret, answer.body.removeprefix(_MARK))
    if 300 <= answer.status < 400:
        message = (
            f"it answered {answer.status} and would send on to {bounded(answer.location) or 'nowhere'}: redirects are "
            "not followed, so the object has to name the last address itself"
        )
        return Outcome.failed(OutcomeKind.REDIRECT, message)
    if not 200 <= answer.status < 300:
        return Outcome.failed(OutcomeKind.FAILED, f"it answered {_named(answer.status)}{_said(body)}")
    return _result(answer.content_type, body)


def _result(content_type: str, body: bytes) -> Outcome:
    if not body:
        return Outcome.of(None)
    is_json = content_type == "application/json" or content_type.endswith("+json")
    if not content_type.startswith("text/"):
        try:
            result = orjson.loads(body)
        except ValueError as error:
            if is_json:
                return Outcome.failed(OutcomeKind.INVALID_ANSWER, bounded(f"its answer is not JSON: {error}"))
        else:
            return _embeddable(result)
    try:
        return Outcome.of(body.decode())
    except UnicodeDecodeError:
        message = f"its answer is neither JSON nor UTF-8 text, but {bounded(content_type)}"
        return Outcome.failed(OutcomeKind.INVALID_ANSWER, message)


def _embeddable(result: Any) -> Outcome:
    """Doors put results into JSON of their own, and orjson reads more levels than it writes."""
    try:
        orjson.dumps([[[[[[[[result]]]]]]]])
    except TypeError:
        return Outcome.failed(OutcomeKind.INVALID_ANSWER, "its answer is nested too deep")
    return Outcome.of(result)


def _said(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    with suppress(ValueError):
        text = _why(orjson.loads(body)) or text
    return f": {bounded(text)}" if text else ""


def _why(error: Any) -> str:
    """The words of an error in one of the usual forms; "" for another form."""
    for _ in range(2):  # `{"error": {"message": "…"}}` is the deepest of them
        if not isinstance(error, dict):
            break
        error = next((error[name] for name in _WHY if error.get(name)), "")
    return error if isinstance(error, str) else ""


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _without(secret: str | None, body: bytes) -> bytes:
    for spelled in (secret, json.dumps(secret)[1:-1]) if secret else ():
        body = body.replace(spelled.encode(), MASK.encode())
    return body
