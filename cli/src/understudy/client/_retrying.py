"""Whether to ask again, and when. The gateway has made its own attempts already, so its word counts first.

`x-should-retry` decides where it is sent. Else what passes is asked again: 408, 429, 5xx, a refused or broken
connection. A client that has waited in vain does not ask again by itself: the model may still be at it, and is paid.
"""

from dataclasses import dataclass

from understudy.client._errors import ProviderError, RateLimited, SessionBusy, TimedOut, Unavailable, UnderstudyError

_PASSES = (RateLimited, SessionBusy, Unavailable, ProviderError, TimedOut)
_NOT_BEGUN = (RateLimited, SessionBusy)
"""What is refused before anything is done."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often and how patiently.

    Attributes:
        retries: How often it is asked again at most.
        base: The longest wait before the first retry, in seconds; it doubles with each one.
        longest: The longest wait of the client's own choosing.
        longest_asked: The longest `Retry-After` that is waited for; a longer one is the caller's to plan.
    """

    retries: int
    base: float = 0.5
    longest: float = 8.0
    longest_asked: float = 60.0

    def wait(self, error: UnderstudyError, *, retried: int, draw: float, repeatable: bool = True) -> float | None:
        """Seconds to wait before asking again; None where the error is final.

        Args:
            error: What came of it.
            retried: How often it was asked again already.
            draw: Chance, in [0, 1).
            repeatable: Whether it does no harm if it is done twice.
        """
        if retried >= self.retries or not _is_worth_it(error, _PASSES if repeatable else _NOT_BEGUN):
            return None
        asked = error.facts.retry_after
        if asked is None:
            return draw * min(self.longest, self.base * 2.0**retried)
        # A little more than asked for: all who were told the same should not come back in the same instant.
        return asked + draw * min(1.0, asked / 10) if asked <= self.longest_asked else None


def _is_worth_it(error: UnderstudyError, passes: tuple[type[UnderstudyError], ...]) -> bool:
    if error.facts.should_retry is not None:
        return error.facts.should_retry
    if isinstance(error, TimedOut) and error.status is None:
        return False
    return isinstance(error, passes)
