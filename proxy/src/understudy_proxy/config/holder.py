"""The one reference that a reload swaps, and what a reload had to refuse."""

from collections.abc import Callable
from dataclasses import dataclass

from understudy_proxy.config.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Rejection:
    """A configuration that was offered and not taken; the one before goes on serving."""

    revision: str
    message: str
    at: float
    """Seconds since the epoch."""


class RuntimeHolder:
    """What new requests get. A request takes `current` once and keeps it to its end."""

    def __init__(self) -> None:
        self.current: Runtime | None = None
        self.rejected: Rejection | None = None
        self._listeners: list[Callable[[Runtime], None]] = []

    def on_swap(self, listener: Callable[[Runtime], None]) -> None:
        """Call `listener` with each new runtime, before any request gets it."""
        self._listeners.append(listener)

    def swap(self, runtime: Runtime) -> None:
        """Give `runtime` to every request that begins from now on, and forget what was refused before."""
        for listener in self._listeners:
            listener(runtime)
        self.current = runtime
        self.rejected = None

    def reject(self, rejection: Rejection) -> None:
        """Remember why the latest configuration was not taken."""
        self.rejected = rejection
