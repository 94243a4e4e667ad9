"""How long a provider asks to be left alone, in whichever of the many ways it says so.

The order is that of OpenAI's and Anthropic's SDKs: milliseconds, then seconds, then a date. Google says it in the body;
OpenAI's rate-limit headers say how long until the exhausted budget is whole again, Anthropic's at what time.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

MAX_SECONDS = 86_400.0
"""A day: anything longer is taken for that."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|s|m|h|d)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_MAX_TEXT = 64


def retry_after_seconds(headers: Mapping[str, str], error: Mapping[str, Any]) -> float | None:
    """Seconds to wait, between 0 and `MAX_SECONDS`; None when nothing usable is said.

    Args:
        headers: by lower-case name.
        error: the error object of the body, or an empty one.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        milliseconds = _number(headers.get(name))
        if milliseconds is not None:
            return _bounded(milliseconds / 1000)
    said = headers.get("retry-after")
    if said is not None:
        seconds = _number(said)
        if seconds is None:
            seconds = _until(said, headers.get("date"))
        if seconds is not None:
            return _bounded(seconds)
    return _in_details(error) or _budget_reset(headers)


def duration_seconds(text: str) -> float | None:
    """Seconds of a duration such as `6m0s`, `12ms` or `1.5s`; None when it is none."""
    text = text[:_MAX_TEXT].strip()
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return _bounded(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_SECONDS)


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text[:_MAX_TEXT])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(said: str, date: str | None) -> float | None:
    """Seconds from the provider's own `Date` to a date it names: its clock on both sides, so no skew matters."""
    then, now = _date(said), _date(date)
    return None if then is None or now is None else (then - now).total_seconds()


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text[:_MAX_TEXT])
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else None


def _in_details(error: Mapping[str, Any]) -> float | None:
    """Google's RetryInfo."""
    details = error.get("details")
    for detail in details[:_MAX_TEXT] if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str):
            return duration_seconds(delay)
    return None


def _budget_reset(headers: Mapping[str, str]) -> float | None:
    """When the budgets that are used up, of requests and of tokens, are whole again."""
    waits = [
        wait
        for budget in ("requests", "tokens")
        if _number(headers.get(f"x-ratelimit-remaining-{budget}")) == 0
        and (wait := duration_seconds(headers.get(f"x-ratelimit-reset-{budget}", ""))) is not None
    ]
    now = _date(headers.get("date"))
    if now is not None:
        waits += [
            _bounded((then - now).total_seconds())
            for budget in ("requests", "tokens", "input-tokens", "output-tokens")
            if _number(headers.get(f"anthropic-ratelimit-{budget}-remaining")) == 0
            and (then := _timestamp(headers.get(f"anthropic-ratelimit-{budget}-reset", ""))) is not None
        ]
    return max(waits, default=None)


def _timestamp(text: str) -> datetime | None:
    """A time as RFC 3339 writes it."""
    try:
        time = datetime.fromisoformat(text[:_MAX_TEXT])
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
