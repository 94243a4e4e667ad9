"""From an answer that is none, or a connection that is none, to an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import httpx2

from understudy.client._errors import (
    BY_CODE,
    BY_STATUS,
    BadRequest,
    Facts,
    InvalidAnswer,
    ProviderError,
    TimedOut,
    Unavailable,
    UnderstudyError,
)
from understudy.client._results import Headers, served_by

_SHOWN = 1024
"""Characters of a foreign text that a message repeats."""


def from_answer(status: int, headers: Headers, body: bytes) -> UnderstudyError:
    """The error for an answer that is no success."""
    decoded = _decoded(body)
    said, code = _said(decoded)
    served = served_by(headers)
    facts = Facts(
        status=status,
        code=code,
        reason=headers.get("x-understudy-reason"),
        request_id=served.request_id or None,
        route=served.route or None,
        provider=served.provider or None,
        attempts=served.attempts,
        retry_after=retry_after(headers, now=datetime.now(UTC)),
        should_retry={"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower()),
        body=decoded,
    )
    return _kind(status, code)(said or f"the gateway answered {status} without a word", facts)


def from_transport(error: httpx2.RequestError, *, whom: str) -> UnderstudyError:
    """The error for a request that got no answer from `whom`, such as 'the gateway at URL'."""
    why = str(error) or type(error).__name__
    match error:
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return Unavailable(f"cannot connect to {whom}: {why}")
        case httpx2.TimeoutException():
            return TimedOut(f"{whom} did not answer in time")
        case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError():
            return BadRequest(f"the request cannot be sent: {why}")
        case httpx2.DecodingError():
            return InvalidAnswer(f"the answer of {whom} cannot be decoded: {why}")
    return Unavailable(f"the connection to {whom} broke: {why}")


@dataclass(frozen=True, slots=True)
class Broken:
    """What an event says that ends a stream with an error."""

    message: str
    code: str | None


def in_stream(raw: Any) -> Broken | None:
    """The error that an event of a stream tells; None for any other event."""
    if not (isinstance(raw, dict) and raw.get("error")):
        return None
    said, code = _said(raw)
    return Broken(said or "the answer broke off", code)


def retry_after(headers: Headers, *, now: datetime) -> float | None:
    """Seconds until a retry, from `retry-after-ms` or `retry-after` (seconds, or a date)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None


def _kind(status: int, code: str | None) -> type[UnderstudyError]:
    if code and code in BY_CODE:
        return BY_CODE[code]
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= 500:
        return ProviderError
    return BadRequest if status >= 400 else InvalidAnswer


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _said(decoded: Any) -> tuple[str, str | None]:
    """The message and the code of an error body, whichever of the usual forms it has."""
    if not isinstance(decoded, Mapping):
        return "", None
    error = decoded.get("error", decoded)
    if isinstance(error, Mapping):
        message = next((text for key in ("message", "detail") if isinstance(text := error.get(key), str)), "")
        code = error.get("code")
        return _short(message), code if isinstance(code, str) else None
    code = decoded.get("code")
    return _short(error) if isinstance(error, str) else "", code if isinstance(code, str) else None


def _short(text: str) -> str:
    line = "".join(char if char.isprintable() else " " for char in text).strip()
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
