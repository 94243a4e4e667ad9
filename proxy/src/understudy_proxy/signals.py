"""What a process is told by signals: end well, or end at once."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = signal.SIGUSR1
"""How a supervisor passes on an interrupt from the keyboard. The keyboard's own reaches every process of the terminal,
and would count twice."""


class Ending:
    """`asked` after the first signal, `urged` after the second."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.urged = asyncio.Event()
        self.interactive = False
        """The first one came from a keyboard: no load balancer has to take note."""

    def signal(self, number: int) -> None:
        """A signal came."""
        if self.asked.is_set():
            self.urged.set()
        else:
            self.interactive = number in {signal.SIGINT, INTERRUPTED}
            self.asked.set()

    async def within(self, seconds: float) -> bool:
        """Wait for `seconds`; True when urged before they are over."""
        try:
            async with asyncio.timeout(seconds):
                await self.urged.wait()
        except TimeoutError:
            return False
        return True

    def let_go(self) -> None:
        """Whoever started this process is gone."""
        self.asked.set()


@contextmanager
def heeded(ending: Ending, *, leash: int | None = None) -> Iterator[None]:
    """Tell `ending` of signals, and of the end of a supervisor, which closes the other end of `leash`."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT if leash is None else INTERRUPTED)
    for number in numbers:
        loop.add_signal_handler(number, ending.signal, number)
    if leash is not None:

        def gone() -> None:
            loop.remove_reader(leash)
            ending.let_go()

        loop.add_reader(leash, gone)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
        if leash is not None:
            loop.remove_reader(leash)
