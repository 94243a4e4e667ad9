"""Measurements that tests print and do not assert: shown by `pytest -s`, and by `-rA`."""

import sys
from collections.abc import Iterable


def tell(what: str, seconds: float) -> None:
    """Print one measurement."""
    sys.stdout.write(f"{what}: {seconds:.3f} s\n")


def tell_all(what: str, seconds: Iterable[float]) -> None:
    """Print median and maximum of several."""
    ordered = sorted(seconds)
    sys.stdout.write(f"{what}: median {ordered[len(ordered) // 2]:.3f} s, max {ordered[-1]:.3f} s\n")
