"""What agents there are, as far as it is known. Pure: whoever asks the registry tells it, and a time with it."""

from collections.abc import Iterable, Iterator
from typing import Any

from understudy.agents._matching import Offer, Wanted, matching, not_found, offers
from understudy.client import InvalidAnswer, ProviderNotFound, UnderstudyError
from understudy.client._requests import Call

AGENTS = Call("GET", "/agents")
FRESH_SECONDS = 5.0
"""As often as agents themselves ask whether anything has changed."""
ASK_SECONDS = 5.0
"""A registry answers out of what it has in memory."""
AVOID_SECONDS = 30.0
"""A registry takes as long to see that an agent is gone."""


class Directory:
    """What a registry has listed, and who could not be reached since."""

    def __init__(self, registry: str, wanted: Wanted) -> None:
        """Look for `wanted` at the registry of that address."""
        self.registry = registry
        self._wanted = wanted
        self._known: tuple[Offer, ...] = ()
        self._asked: float | None = None
        self._unreachable: dict[str, float] = {}

    def is_fresh(self, now: float) -> bool:
        """Whether it is too early to ask again."""
        return self._asked is not None and now - self._asked < FRESH_SECONDS

    def was_asked_since(self, then: float) -> bool:
        """Whether what is known is of that time or later."""
        return self._asked is not None and self._asked >= then

    def keep(self, error: UnderstudyError, now: float) -> None:
        """The registry does not answer: what is known is used for as long as that lasts.

        Raises:
            UnderstudyError: nothing is known.
        """
        if self._asked is None:
            raise error
        self._asked = now

    def take(self, listed: Any, now: float) -> None:
        """What the registry lists now.

        Raises:
            InvalidAnswer: it is no such list.
        """
        self._known = offers(listed)
        self._asked = now
        self._unreachable = {endpoint: until for endpoint, until in self._unreachable.items() if until > now}

    def could_not_reach(self, offer: Offer, now: float) -> None:
        """Nobody answers there: who else fits comes first for a while."""
        # A new one, for other threads may be reading the old one.
        self._unreachable = {**self._unreachable, offer.endpoint: now + AVOID_SECONDS}

    def candidates(self, now: float, *, stream: bool) -> tuple[Offer, ...]:
        """Who fits, the best first, those last who could not be reached a moment ago."""
        found = matching(self._known, self._wanted, stream=stream)
        return tuple(sorted(found, key=lambda each: self._unreachable.get(each.endpoint, 0.0) > now))

    def not_found(self) -> ProviderNotFound:
        """The error where nobody fits."""
        return not_found(self._known, self._wanted, registry=self.registry)


def untried(candidates: Iterable[Offer], tried: set[str]) -> Iterator[Offer]:
    """Those at whose address nobody has been asked yet; they count as tried once they are given."""
    for each in candidates:
        if each.endpoint not in tried:
            tried.add(each.endpoint)
            yield each


def no_list(error: UnderstudyError, registry: str) -> UnderstudyError:
    """Why there is no list of agents; a server without one is no registry."""
    if isinstance(error, ProviderNotFound):
        return InvalidAnswer(f"there is no registry of agents at {registry}", error.facts)
    return error
