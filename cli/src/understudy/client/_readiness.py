"""Waiting for a gateway to be ready. Pure: when to ask again, and what to say when time is up."""

from collections.abc import Iterator

from understudy.client._errors import TimedOut, Unavailable, UnderstudyError

ASK_SECONDS = 5.0
"""A gateway answers this question without asking anybody."""


def pauses() -> Iterator[float]:
    """Seconds between two questions: at once in tests and on a laptop, seldom while a cluster pulls images."""
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 1.5, 1.0)


def not_ready(url: str, *, seconds: float, error: UnderstudyError) -> Unavailable:
    """The error when time is up."""
    if error.status is not None:
        why = f"it answers {error.status}"
    else:
        why = "it does not answer" if isinstance(error, TimedOut) else str(error)
    return Unavailable(f"the gateway at {url} is not ready within {seconds:g} s: {why}", error.facts)
