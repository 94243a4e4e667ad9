"""What the fixtures of real servers share: when they are not to be had, and how long they may take."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.missing import Missing


@contextmanager
def skip_where_missing() -> Iterator[None]:
    """Turn `Missing` into a skip with that line; in CI, where a skip would hide everything, into a failure."""
    try:
        yield
    except Missing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"missing: {missing}", pytrace=False)
        pytest.skip(f"missing: {missing}")


def mark_folder(items: list[pytest.Item], folder: Path, marker: str, *, timeout_seconds: float) -> None:
    """Give the tests of one folder a marker and a timeout that leaves fixtures out.

    Fixtures may build programs for minutes, and have bounds of their own.
    """
    for item in items:
        if item.path.is_relative_to(folder):
            item.add_marker(getattr(pytest.mark, marker))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(timeout_seconds, func_only=True))
