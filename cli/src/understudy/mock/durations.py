"""Durations as a person writes them: `2s`, `150ms`, `1.5m`."""

import re

_PATTERN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Return the seconds that `text` stands for.

    Raises:
        ValueError: If it is no number with one of the units ms, s, m, h.
    """
    found = _PATTERN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text}" is no duration; write it as 2s, 150ms or 1.5m')
    return float(found[1]) * _SECONDS[found[2]]
