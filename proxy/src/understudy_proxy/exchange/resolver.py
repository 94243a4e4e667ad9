"""Names to addresses, remembered.

The operating system's resolver blocks a thread for as long as a name server is silent, so it gets threads of its own,
each name is asked for once at a time, and what was known last is used when a name cannot be resolved any more.
"""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from understudy_proxy.addresses import holds_secrets
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure, bounded

Lookup = Callable[[str, int], tuple[str, ...]]

_THREADS = 16
_NAMES = 4096


def system_lookup(host: str, port: int) -> tuple[str, ...]:
    """All addresses of `host`, in the order in which the system prefers them.

    Raises:
        OSError: there are none, or nobody can tell.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class _Known:
    __slots__ = ("addresses", "at")

    def __init__(self, addresses: tuple[str, ...], at: float) -> None:
        self.addresses = addresses
        self.at = at


class Resolver:
    """Addresses by host, at most `fresh_seconds` old while its name servers answer."""

    def __init__(
        self,
        lookup: Lookup = system_lookup,
        *,
        fresh_seconds: float = 5.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookup = lookup
        self._fresh = fresh_seconds
        self._now = now
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: dict[str, asyncio.Task[tuple[str, ...]]] = {}
        self._threads: ThreadPoolExecutor | None = None

    def known(self, host: str) -> tuple[str, ...]:
        """What was known last, however old; empty if nothing ever was."""
        known = self._known.get(host)
        return known.addresses if known else ()

    def fresh(self, host: str) -> bool:
        """Whether what is known is young enough to be used unasked."""
        known = self._known.get(host)
        return known is not None and self._now() - known.at < self._fresh

    async def addresses(self, host: str, port: int, *, hearsay: bool = False) -> tuple[str, ...]:
        """The addresses of `host`, asked for if need be; the last known ones if that fails.

        Args:
            host: The name.
            port: What is behind it.
            hearsay: The name comes from anybody, not from an object: it must not lead to where clouds keep secrets.

        Raises:
            UpstreamError: the name cannot be resolved and never was, or leads there.
        """
        # Shielded: others wait for the same answer when one of them is cancelled.
        found = self._known[host].addresses if self.fresh(host) else await asyncio.shield(self.refresh(host, port))
        if hearsay and any(map(holds_secrets, found)):
            message = f"{host} leads to {', '.join(found[:3])}, where clouds keep a machine's credentials"
            raise UpstreamError(UpstreamFailure(FailureKind.NAME_NOT_RESOLVED, bounded(message)))
        return found

    def refresh(self, host: str, port: int) -> asyncio.Task[tuple[str, ...]]:
        """Ask now, or wait for the answer that somebody else is asking for."""
        asking = self._asking.get(host)
        if asking is None:
            asking = asyncio.create_task(self._ask(host, port), name=f"resolve {host}")
            self._asking[host] = asking
            asking.add_done_callback(lambda done: self._answered(host, done))
        return asking

    async def close(self) -> None:
        """Stop asking."""
        for asking in list(self._asking.values()):
            asking.cancel()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, host: str, port: int) -> tuple[str, ...]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")
        try:
            addresses = await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host, port)
        except (OSError, UnicodeError) as error:
            addresses = self.known(host)
            if not addresses:
                message = bounded(f"{host} cannot be resolved: {error}")
                raise UpstreamError(UpstreamFailure(FailureKind.NAME_NOT_RESOLVED, message)) from error
        self._known[host] = _Known(addresses, self._now())
        self._known.move_to_end(host)
        if len(self._known) > _NAMES:
            self._known.popitem(last=False)
        return addresses

    def _answered(self, host: str, done: asyncio.Task[tuple[str, ...]]) -> None:
        del self._asking[host]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody need have
