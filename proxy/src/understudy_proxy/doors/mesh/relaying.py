"""One registry for many processes: whoever does not keep it passes on what agents ask.

Agents that talk to one worker must be found through all others, so there is one who keeps the registry: in a pod the
first worker, among pods the one with the first address. It is chosen by looking, not by voting; when it goes, the next
one is told all by the agents themselves, within seconds, for it knows none of them. Who cannot reach anybody who comes
before keeps a registry of its own until it can.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import aiohttp

from understudy_proxy.doors.door import JSON, Answer, Request
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.failure import UpstreamError

_log = logging.getLogger(__name__)
RELAYED = "x-understudy-relayed"
"""On what another pod passed on: it has looked, and is not to be asked in turn."""
_MAX_ASKED = 3
_NO_HEADERS: Mapping[str, str] = {}
_TIMEOUT = aiohttp.ClientTimeout(total=5.0, connect=1.0)

Before = Callable[[], Awaitable[Sequence[str]]]
"""The URLs of those who are to keep the registry rather than this process, the first choice first."""


async def nobody() -> Sequence[str]:
    """This process keeps it."""
    return ()


def worker(port: int) -> Before:
    """The pod's first worker keeps it, which listens to the others at a local `port`."""

    async def before() -> Sequence[str]:
        return (f"http://127.0.0.1:{port}",)

    return before


def pods(resolver: Resolver, *, name: str, own: str, port: int) -> Before:
    """The pod with the first address behind `name` keeps it; `own` is this pod's, and all listen at `port`."""

    async def before() -> Sequence[str]:
        try:
            addresses = sorted(await resolver.addresses(name, port))
        except UpstreamError:
            return ()
        first = addresses[: addresses.index(own)] if own in addresses else addresses
        return [f"http://[{each}]:{port}" if ":" in each else f"http://{each}:{port}" for each in first[:_MAX_ASKED]]

    return before


class Relay:
    """Passes requests on to whoever keeps the registry."""

    def __init__(self, before: Before, *, marked: bool) -> None:
        """Ask those `before` this process first.

        Args:
            before: Who they are.
            marked: Whether they are other pods: what those have passed on is not passed on again.
        """
        self._before = before
        self._mark = {RELAYED: "1"} if marked else {}
        self._session: aiohttp.ClientSession | None = None

    async def passed_on(self, request: Request, raw: bytes = b"") -> Answer | None:
        """What those say who come before this process; None: it is this process that has to answer."""
        if self._mark and RELAYED in request.headers:
            return None
        target = f"{request.path}?{request.query}" if request.query else request.path
        headers = {name: request.headers[name] for name in ("host", RELAYED) if name in request.headers}
        return await self.ask(request.method, target, raw=raw, headers=headers)

    async def ask(
        self, method: str, target: str, *, raw: bytes = b"", headers: Mapping[str, str] = _NO_HEADERS
    ) -> Answer | None:
        """As `passed_on`, for a request of this process's own."""
        sent = {**headers, **self._mark, **({"content-type": JSON} if raw else {})}
        for url in await self._before():
            try:
                return await self._ask(method, f"{url}{target}", raw, sent)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                _log.debug("who keeps the mesh's registry does not answer: %s", type(error).__name__)
        return None

    async def close(self) -> None:
        """Ask no more."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, url: str, raw: bytes, headers: Mapping[str, str]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        async with self._session.request(method, url, data=raw or None, headers=headers) as response:
            return Answer(response.status, await response.read(), headers=(("cache-control", "no-store"),))
