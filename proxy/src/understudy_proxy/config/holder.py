"""The one reference that a reload swaps, and what a reload had to refuse."""

from collections.abc import Callable
from dataclasses import dataclass

from understudy_proxy.config.runtime import Runtime
from understudy_proxy.config.source import Origin


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
        self.origin: Origin | None = None
        """Where `current` came from, or was last confirmed from."""
        self.rejected: Rejection | None = None
        self._listeners: list[Callable[[Runtime], None]] = []

    def on_swap(self, listener: Callable[[Runtime], None]) -> None:
        """Call `listener` with each new runtime, before any request gets it."""
        self._listeners.append(listener)

    def swap(self, runtime: Runtime, *, origin: Origin) -> None:
        """Give `runtime` to every request that begins from now on, and forget what was refused before."""
        for listener in self._listeners:
            listener(runtime)
        self.current = runtime
        self.confirm(origin)

    def confirm(self, origin: Origin) -> None:
        """What is current was offered again: it stands, and nothing newer is refused any more."""
        self.origin = origin
        self.rejected = None

    def reject(self, rejection: Rejection) -> None:
        """Remember why the latest configuration was not taken."""
        self.rejected = rejection
