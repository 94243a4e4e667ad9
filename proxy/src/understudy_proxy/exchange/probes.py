"""Asking ejected endpoints whether they are well again, where their provider says how.

Without a probe an ejection ends with a trial, which is some caller's request; with one it may end before, at nobody's
expense.
"""

import asyncio
from collections.abc import Awaitable, Callable

from understudy_api.config import Probe
from understudy_proxy.config.runtime import Runtime, Upstream
from understudy_proxy.exchange.ledger import Ledger
from understudy_proxy.exchange.transport import Sending, Transport
from understudy_proxy.failure import UpstreamError
from understudy_proxy.routing.health import Standing
from understudy_proxy.routing.plan import Choice, Endpoint

_OUT = frozenset({Standing.EJECTED, Standing.TRIAL})
_ANSWER_BYTES = 64 * 1024


class Probes:
    """One task for each endpoint that is out and can be probed."""

    def __init__(
        self, transport: Transport, ledger: Ledger, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._transport = transport
        self._ledger = ledger
        self._sleep = sleep
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}
        self._upstreams: dict[str, Upstream] = {}

    def use(self, runtime: Runtime) -> None:
        """Probe as `runtime` says, and no more what it does not hold."""
        self._upstreams = dict(runtime.upstreams)

    def begin(self, choice: Choice) -> None:
        """The endpoint of `choice` was ejected."""
        endpoint, upstream = choice.endpoint, choice.candidate.upstream
        if upstream.health.probe is not None and endpoint not in self._tasks:
            task = asyncio.create_task(self._run(endpoint, upstream.key), name=f"probe {endpoint.key}")
            self._tasks[endpoint] = task
            task.add_done_callback(lambda _done: self._tasks.pop(endpoint, None))

    async def close(self) -> None:
        """Stop probing."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, endpoint: Endpoint, key: str) -> None:
        """Probe until it is well, or until it is nobody's business any more."""
        ledger = self._ledger
        while (upstream := self._upstreams.get(key)) is not None and (probe := upstream.health.probe) is not None:
            await self._sleep(probe.interval_seconds)
            if ledger.board.standing(endpoint.key, "", now=ledger.now()).standing not in _OUT:
                return
            if await self._is_well(endpoint, upstream, probe):
                ledger.tell(ledger.board.probed(endpoint.key, now=ledger.now()))
                return

    async def _is_well(self, endpoint: Endpoint, upstream: Upstream, probe: Probe) -> bool:
        within = upstream.timeouts.connect_seconds + probe.interval_seconds
        asked = upstream if endpoint.agent is None else endpoint.agent.upstream
        sending = Sending(asked, probe.path, b"", address=endpoint.address, method="GET")
        try:
            receiving = await self._transport.send(sending, within=within)
            try:
                await receiving.read(limit=_ANSWER_BYTES, within=within)
                return 200 <= receiving.status < 300
            finally:
                receiving.close()
        except (UpstreamError, TimeoutError):
            return False
