"""Durations as users write them, in seconds."""

import re
from decimal import Decimal

from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}


def to_seconds(duration: str) -> float:
    """The seconds of a duration such as `1h30m`, which the API's own pattern has already accepted.

    Counted in decimals, so that 300ms and 0.3s are the same number.
    """
    return float(sum(Decimal(number) * _UNITS[unit] for number, unit in _PART.findall(duration)))


def positive_seconds(report: Report, field: str, *, duration: str | None, default: float) -> float:
    """The seconds of an optional duration, which must not be zero: no wait can be over before it starts."""
    if duration is None:
        return default
    seconds = to_seconds(duration)
    if seconds > 0:
        return seconds
    report.error(Reason.INVALID, field, f"must be longer than 0s; until it is, {default:g}s is used")
    return default
