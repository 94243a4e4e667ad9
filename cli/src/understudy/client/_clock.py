"""The client's time and chance, in one place, so that whoever has a clock of their own can give it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Where waits and chance come from.

    Attributes:
        now: Monotonic seconds.
        chance: A number in [0, 1).
        sleep: Wait so many seconds, in `Client`.
        sleep_async: Wait so many seconds, in `AsyncClient`.
    """

    now: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = asyncio.sleep
