"""Which fault the next request gets: the faults of a script, with what they have seen and given so far."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from understudy.mock.faults import Fault


@dataclass(slots=True)
class Line:
    """A fault at work: how many requests counted for it, and how many it hit."""

    fault: Fault
    chance: Random
    seen: int = 0
    given: int = 0

    def strikes(self) -> bool:
        """Count a request that concerns this line, and tell whether it is hit."""
        self.seen += 1
        when = self.fault.when
        return when.strikes(seen=self.seen, given=self.given, draw=self.chance.random())


class Script:
    """Faults in order. Each request gets the first that strikes; the others count the request all the same."""

    def __init__(self, faults: Iterable[Fault], *, seed: int) -> None:
        # Each line has its own chance, so that adding a fault does not change when another one strikes.
        self.lines = tuple(
            Line(fault, Random(f"{seed}/{number}/{fault.text}"))  # noqa: S311 - repeatable, no secret
            for number, fault in enumerate(faults)
        )

    def next(self, *, model: str, path: str, generates: bool) -> Fault | None:
        """Return the fault for the request that has just arrived, or None to answer it well."""
        struck: Fault | None = None
        for line in self.lines:
            concerned = line.fault.when.concerns(model=model, path=path, generates=generates)
            if concerned and line.strikes() and struck is None:
                line.given += 1
                struck = line.fault
        return struck
