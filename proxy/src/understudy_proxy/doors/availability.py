"""Whether a name would be answered now, and if not, why: from the plan that a request would get.

Nobody is asked, and nobody's turn is taken; see `routing/explain.py`, which tells the same plan in full.
"""

import asyncio
import random
import time
from dataclasses import dataclass

from understudy_api.config import Capability
from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.exchange.endpoints import Endpoints
from understudy_proxy.exchange.refusal import without_choices
from understudy_proxy.routing.health import HealthBoard, Standing
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.plan import Plan, plan

CHAT = Need(capabilities=frozenset({Capability.CHAT}), input_tokens=0, stream=False, max_output_tokens=None)
"""The least that a conversation takes."""
ANYTHING = Need(capabilities=frozenset(), input_tokens=0, stream=False, max_output_tokens=None)


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether somebody would answer.

    Attributes:
        available: Somebody who is well would be asked.
        why_not: Why not, for people; None if so.
        asked: Keys of the candidates who are well and may be asked, the first choice first.
        troubles: Why others are passed over, by the key of the candidate.
    """

    available: bool
    why_not: str | None
    asked: tuple[str, ...]
    troubles: dict[str, str]


class Availabilities:
    """Looks names' prospects up."""

    def __init__(self, *, board: HealthBoard, endpoints: Endpoints) -> None:
        """Plan as the exchange does, from the same board and endpoints."""
        self._board = board
        self._endpoints = endpoints

    async def of(self, target: RuntimeTarget, need: Need) -> Availability:
        """What would become of a request for `target`."""
        await self._endpoints.ready(target)
        await asyncio.sleep(0)  # a list asks for a thousand of them, and nobody's stream is to wait for all
        now = time.monotonic()
        found = plan(
            target,
            need,
            {},
            board=self._board,
            endpoints=self._endpoints,
            draw=random.random,
            now=now,
            looking=True,
        )
        return self._told(found, now)

    def _told(self, found: Plan, now: float) -> Availability:
        troubles = {skip.candidate.key: skip.detail for skip in found.skipped}
        asked: dict[str, None] = {}
        for choice in found.choices:
            health = self._board.standing(choice.endpoint.key, choice.candidate.model, now=now)
            if health.standing in {Standing.READY, Standing.TRIAL}:
                asked[choice.candidate.key] = None
            else:
                troubles[choice.candidate.key] = "it failed and is out; it is asked only while nobody else is left"
        if asked:
            return Availability(True, None, tuple(asked), troubles)
        if not found.choices:
            return Availability(False, without_choices(found).message, (), troubles)
        why = "; ".join(f"{key}: {trouble}" for key, trouble in troubles.items())
        return Availability(False, f"Everybody behind {found.target.label} has failed. {why}.", (), troubles)
