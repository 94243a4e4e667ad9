"""Durations as a person writes them: `2s`, `150ms`, `1.5m`, `1h30m`; the same as in Understudy's objects."""

import re

_PART = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern}){{1,4}}")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> float:
    """Return the seconds that `text` stands for.

    Raises:
        ValueError: If it is no number with one of the units ms, s, m, h, d.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f'"{text}" is no duration; write it such as 2s, 150ms or 1m30s')
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
