"""What the operator publishes, from the API and from the mounted volume, whichever counts.

Both are followed all the time; `precedence.py` says which one is served when they differ. The newest head wins: while
the shards of one are being fetched, a newer one may come, and then the older is not asked for again.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from understudy_api.config import Snapshot, read_head
from understudy_api.config.shards import NotWhole, ShardError
from understudy_proxy.config.api_client import ApiClient, ApiError
from understudy_proxy.config.api_fetch import ShardFetch
from understudy_proxy.config.api_watch import HeadWatch
from understudy_proxy.config.backoff import Backoff
from understudy_proxy.config.precedence import Precedence
from understudy_proxy.config.source import Origin, Sink
from understudy_proxy.config.volume import Mark, Volume

_REVISION = re.compile(r'"revision"\s*:\s*"([^"\\]{1,64})"')
_log = logging.getLogger(__name__)
_VOLUME_POLL_SECONDS = 1.0
_PATIENCE = 7
"""How often to find a configuration not whole before saying so: some 5 s, while a publication takes less than 1 s."""


@dataclass(frozen=True, slots=True)
class Api:
    """The two ways in which the Kubernetes API is used, over one client."""

    client: ApiClient
    watch: HeadWatch
    shards: ShardFetch


class Published:
    """The source of a proxy in a cluster."""

    def __init__(
        self, *, api: Api | None, volume: Volume | None, timer: Callable[[], float], draw: Callable[[], float]
    ) -> None:
        """At least one of `api` and `volume`; `timer` gives monotonic seconds, `draw` uniform numbers in [0, 1)."""
        self._api = api
        self._volume = volume
        self._timer = timer
        self._draw = draw
        self._precedence = Precedence()
        self._turn = asyncio.Lock()
        """Held from asking `_precedence` to the end of the offer, so that nothing comes in between."""
        self._serving = ""
        """The revision taken last, whoever gave it."""

    async def run(self, sink: Sink) -> None:
        """Follow both until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                if self._volume is not None:
                    group.create_task(self._follow_volume(self._volume, sink), name="config-volume")
                if self._api is not None:
                    heads = _Heads(self._precedence, sink, self._timer, serving=lambda: self._serving)
                    group.create_task(self._api.watch.run(heads), name="config-watch")
                    group.create_task(self._follow_heads(self._api.shards, heads, sink), name="config-fetch")
        finally:
            if self._api is not None:
                await self._api.client.close()

    async def _follow_heads(self, shards: ShardFetch, heads: "_Heads", sink: Sink) -> None:
        known, failures = "", 0
        backoff = Backoff(0.05, 30.0, self._draw)
        while True:
            data = await heads.next()
            if data != known:
                known, failures = data, 0
                backoff.reset()
            while not await self._fetched(shards, data, sink, last_try=failures == _PATIENCE):
                failures += 1
                if await heads.newer(within=backoff.next()):
                    break

    async def _fetched(self, shards: ShardFetch, data: str, sink: Sink, *, last_try: bool) -> bool:
        """Whether nothing more is to be had from this head: it was offered, or can never be."""
        try:
            head = read_head(data)
            snapshot = await shards.fetch(head)
        except (ApiError, NotWhole) as error:
            _log.debug("not whole yet: %s", error)
            if last_try:
                sink.refuse(revision_in(data), str(error), origin=Origin.API)
            return False
        except ShardError as error:
            sink.refuse(revision_in(data), str(error), origin=Origin.API)
            return True
        async with self._turn:
            if await self._offer(snapshot, Origin.API, sink):
                self._precedence.api_taken(head.revision)
        return True

    async def _follow_volume(self, volume: Volume, sink: Sink) -> None:
        seen: Mark | None = None
        done: Mark | None = None
        since = self._timer()
        while True:
            mark = _look(volume)
            if mark != seen:
                seen, since = mark, self._timer()
            if mark is None:
                done = None
                sink.state(Origin.VOLUME, "holds no readable configuration")
            elif not self._counts(mark, since):
                done = None
                same = revision_in(mark.head) == self._serving
                sink.state(Origin.VOLUME, "as the API says" if same else "behind the API")
            elif mark != done and await self._read(volume, mark, since, sink):
                done = mark
            await asyncio.sleep(_VOLUME_POLL_SECONDS)

    def _counts(self, mark: Mark, since: float) -> bool:
        return self._precedence.volume_counts(revision_in(mark.head), since=since)

    async def _read(self, volume: Volume, mark: Mark, since: float, sink: Sink) -> bool:
        """Whether nothing more is to be had from this state of the folder."""
        if revision_in(mark.head) == self._serving:
            return True
        try:
            snapshot = await asyncio.to_thread(volume.load, mark)
        except NotWhole as error:
            sink.state(Origin.VOLUME, f"not whole: {error}")
            return False
        except (ShardError, OSError) as error:
            sink.refuse(revision_in(mark.head), str(error), origin=Origin.VOLUME)
            return True
        sink.state(Origin.VOLUME, "read")
        async with self._turn:
            if self._counts(mark, since):  # the API may have spoken meanwhile
                await self._offer(snapshot, Origin.VOLUME, sink)
        return True

    async def _offer(self, snapshot: Snapshot, origin: Origin, sink: Sink) -> bool:
        taken = await sink.offer(snapshot, origin=origin)
        if taken:
            self._serving = snapshot.config.revision
        return taken


class _Heads:
    """The newest head that the watch has told of, for the one who fetches it."""

    def __init__(
        self, precedence: Precedence, sink: Sink, timer: Callable[[], float], *, serving: Callable[[], str]
    ) -> None:
        self._precedence = precedence
        self._sink = sink
        self._timer = timer
        self._serving = serving
        self._newest = ""
        self._changed = asyncio.Event()

    def heard(self) -> None:
        self._precedence.api_heard(now=self._timer())
        self._sink.state(Origin.API, "connected")

    def lost(self, why: str) -> None:
        self._precedence.api_lost()
        self._sink.state(Origin.API, f"not connected: {why}")

    def head(self, data: str) -> None:
        # One that has been told before is news again when something else serves by now, from the volume.
        if data != self._newest or revision_in(data) != self._serving():
            self._newest = data
            self._changed.set()

    async def next(self) -> str:
        """The newest head, once it is another than the one before."""
        await self._changed.wait()
        self._changed.clear()
        return self._newest

    async def newer(self, *, within: float) -> bool:
        """Wait for a newer head, for `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True


def revision_in(head: bytes | str) -> str:
    """The revision that a head names, even one that cannot be used otherwise; empty when there is none."""
    found = _REVISION.search(head if isinstance(head, str) else head.decode(errors="replace"))
    return found[1] if found else ""


def _look(volume: Volume) -> Mark | None:
    try:
        return volume.mark()
    except (OSError, ShardError) as error:
        _log.debug("the volume cannot be read: %s", error)
        return None
