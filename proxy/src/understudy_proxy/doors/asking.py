"""Conversations of the gateway's own: doors that need an answer, and not the bytes of one.

Personas, the internal door, sessions and agents all ask here, in canonical form, with the same routing, failover and
metering as every client. Where a persona's tools are the gateway's to run, they are run on the way.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.doors.answered import Answered, Saying
from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.doors.executing.executing import Executing
from understudy_proxy.doors.executing.memory import RoundMemory
from understudy_proxy.doors.model_calls import Addressee, ModelCalls
from understudy_proxy.doors.names import Names
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.state.store import Store
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.tools.tools import Tools

__all__ = ["Answered", "Asking", "Saying"]


class Asking:
    """Puts conversations to whoever answers under a name."""

    def __init__(self, *, names: Names, exchange: Exchange, metrics: Metrics, tools: Tools, store: Store) -> None:
        """Look names up in `names`, ask by `exchange`, and run `tools`, whose rounds are remembered in `store`."""
        self._names = names
        self._models = ModelCalls(names=names, exchange=exchange, metrics=metrics)
        self._executing = Executing(self._models, tools, RoundMemory(store), metrics)

    async def complete(self, request: Request, chat: Chat, *, operation: str = "chat") -> Answered:
        """The whole answer to `chat`, on behalf of `request`.

        Raises:
            Refused: nobody answered, or the request is wrong.
        """
        to = self._addressee(request, chat)
        if to is None or not to.target.executes:
            return await self._models.complete(request, chat, operation=operation, to=to)
        return await self._executing.complete(request, chat, to, operation=operation)

    @asynccontextmanager
    async def stream(self, request: Request, chat: Chat, *, operation: str = "chat") -> AsyncIterator[Saying]:
        """The answer to `chat` as it comes; leaving the context ends it.

        Raises:
            Refused: nobody began to answer, or the request is wrong.
        """
        to = self._addressee(request, chat)
        if to is None or not to.target.executes:
            asked = self._models.stream(request, chat, operation=operation, to=to)
        else:
            asked = self._executing.stream(request, chat, to, operation=operation)
        async with asked as saying:
            yield saying

    def _addressee(self, request: Request, chat: Chat) -> Addressee | None:
        """Who is meant; None where nobody is, which is told, and recorded, when it is asked."""
        try:
            runtime = self._names.runtime()
            namespace = self._names.namespace(request)
            return Addressee(runtime, self._names.target(runtime, chat.model, namespace=namespace), namespace)
        except Refused:
            return None
