"""An answer that has begun: from here on nothing is asked again, and a cut is told as a cut."""

from collections.abc import Awaitable, Callable

from understudy_proxy.dialects.interpretation import Fed, Flow
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.ledger import Entry
from understudy_proxy.exchange.patience import Patience
from understudy_proxy.exchange.transport import Receiving
from understudy_proxy.failure import UpstreamError, UpstreamFailure
from understudy_proxy.routing.health import HealthEffect

GoOn = Callable[[UpstreamFailure, Flow], Awaitable["Stream | None"]]
"""Finds somebody who goes on with a stream that was cut."""


class Stream:
    """The rest of a streamed answer. Whoever holds it closes it."""

    __slots__ = ("_effect", "_entry", "_events", "_failure", "_patience", "_receiving", "_successor", "first", "go_on")

    def __init__(
        self,
        first: bytes,
        *,
        events: Flow,
        receiving: Receiving,
        entry: Entry,
        patience: Patience,
        effect: Callable[[UpstreamFailure], HealthEffect],
    ) -> None:
        self.first = first
        """What came before and with the first token."""
        self._events = events
        self._receiving = receiving
        self._entry = entry
        self._patience = patience
        self._effect = effect
        self._failure: UpstreamFailure | None = None
        self._successor: Stream | None = None
        self.go_on: GoOn | None = None
        """Whom to ask when the answer is cut."""

    @property
    def usage(self) -> Usage | None:
        """What the provider has counted so far."""
        return self._events.usage if self._successor is None else self._successor.usage

    @property
    def finished(self) -> bool:
        """The answer is complete; what `next` gave last is the end of it."""
        return self._events.finished if self._successor is None else self._successor.finished

    def failed(self, failure: UpstreamFailure) -> bytes:
        """What tells the client, within its stream, that the answer is not complete."""
        return self._events.failed(failure)

    async def next(self) -> bytes:
        """The next events, whole ones; empty at the end.

        Raises:
            UpstreamError: the answer was cut, or an error came in its place.
        """
        if self._successor is not None:
            return await self._successor.next()
        while self._failure is None:
            if self._events.finished:
                return b""
            fed = await self._fed()
            self._failure = fed.failure
            if fed.out:
                return fed.out
        failure = self._failure
        self._entry.failed(failure, self._effect(failure))
        if self.go_on is None:
            raise UpstreamError(failure)
        self.close()
        self._successor = await self.go_on(failure, self._events)
        if self._successor is None:
            raise UpstreamError(failure)
        return self._successor.first

    def close(self) -> None:
        """Be done with it. If it has not ended yet, the upstream is cancelled at once."""
        if self._events.finished:
            self._receiving.let_go()
        else:
            self._receiving.close()
        self._entry.end()
        if self._successor is not None:
            self._successor.close()

    async def _fed(self) -> Fed:
        try:
            piece = await self._receiving.chunk(within=self._patience.until_next())
        except TimeoutError:
            return Fed(b"", began=True, failure=self._patience.spent(begun=True, stream=True).failure)
        except UpstreamError as error:
            # The answer may have been whole already, and nothing but its last formality cut.
            fed = self._events.close()
            return fed if fed.failure is None else fed._replace(failure=error.failure)
        return self._events.feed(piece) if piece else self._events.close()
