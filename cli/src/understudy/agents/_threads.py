"""Something asynchronous that serves in a thread of its own, for apps that have no event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from threading import Thread


class ServedInThread:
    """An asynchronous context manager, entered and left in an event loop of its own."""

    def __init__(self, served: Callable[[], AbstractAsyncContextManager[None]], *, name: str) -> None:
        """Enter what `served` makes, in a thread of that name."""
        self._served = served
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._ended: Future[None] = Future()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Enter it; what that raises is raised here."""
        self._thread.start()
        self._begun.result()

    def stop(self) -> None:
        """Leave it, and wait until that is done; what that raises is raised here."""
        loop, ends = self._begun.result()
        if self._thread.is_alive():
            loop.call_soon_threadsafe(ends.set)
        self._thread.join()
        self._ended.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - whoever waits in another thread is told
            (self._ended if self._begun.done() else self._begun).set_exception(error)
        else:
            self._ended.set_result(None)

    async def _main(self) -> None:
        ends = asyncio.Event()
        async with self._served():
            self._begun.set_result((asyncio.get_running_loop(), ends))
            await ends.wait()
