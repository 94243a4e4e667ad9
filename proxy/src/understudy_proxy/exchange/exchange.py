"""Walks a plan: attempts, repeats, and the step to the next backend, exactly as `decide` says.

Knows no client protocol: what comes out is a whole answer, a stream that has begun, or what to tell the client when
nobody answered.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from understudy_proxy.config.runtime import Runtime
from understudy_proxy.exchange.course import Exhausted, Whole
from understudy_proxy.exchange.endpoints import Endpoints
from understudy_proxy.exchange.ledger import Ledger
from understudy_proxy.exchange.probes import Probes
from understudy_proxy.exchange.refusal import without_choices
from understudy_proxy.exchange.retry_budget import RetryBudget
from understudy_proxy.exchange.stream import Stream
from understudy_proxy.exchange.transport import Transport
from understudy_proxy.exchange.walk import Ask, Means, Walk
from understudy_proxy.routing.plan import plan


class Exchange:
    """Answers from upstreams."""

    def __init__(
        self,
        *,
        transport: Transport,
        ledger: Ledger,
        endpoints: Endpoints,
        budget: RetryBudget,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.transport = transport
        self.ledger = ledger
        self.endpoints = endpoints
        self.budget = budget
        self.draw = draw
        self._means = Means(transport, ledger, endpoints, budget, draw, sleep, clock)
        self.probes = Probes(transport, ledger, sleep=sleep)
        ledger.ejected = self.probes.begin
        endpoints.gone = transport.abandon

    def use(self, runtime: Runtime) -> None:
        """Get ready for requests by `runtime`; those under way keep what they began with."""
        self.endpoints.use(runtime)
        self.probes.use(runtime)
        self.transport.forget()

    async def close(self) -> None:
        """End what goes on in the background, and every connection."""
        await self.probes.close()
        await self.endpoints.close()
        await self.transport.close()

    async def run(self, ask: Ask) -> Whole | Stream:
        """The answer to `ask`, from the first backend that has one.

        Raises:
            Exhausted: none has.
            RequestError: the request cannot be put into the provider's format.
        """
        if self.endpoints.waiting:
            await self.endpoints.ready(ask.target)
        now = self.ledger.now()
        found = plan(
            ask.target,
            ask.asked.need,
            ask.headers,
            board=self.ledger.board,
            endpoints=self.endpoints,
            draw=self.draw,
            now=now,
        )
        if not found.choices:
            raise Exhausted(without_choices(found))
        self.budget.deposit(ask.target.key, ask.target.retry, now=now)
        return await Walk(self._means, ask, found.choices, now).run()
