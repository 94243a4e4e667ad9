"""An agent: something that answers, served over MCP and known to a registry."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_hex
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from understudy.agents._addresses import Addresses
from understudy.agents._answering import Answering, Function, Model
from understudy.agents._membership import Membership
from understudy.agents._registration import Offering, registration
from understudy.agents._serving import listening, mcp_app, own_address, serving
from understudy.agents._threads import ServedInThread
from understudy.client import AsyncClient, Clock
from understudy.client._async_connection import AsyncConnection

P = ParamSpec("P")
R = TypeVar("R")
THREADS = 32
"""Calls at a time of a function that waits."""


class Agent(Generic[P, R]):
    """A function that is an agent of a mesh once it runs. Made by `@llm_provider`; called, it is the function still.

    `run()` serves until the process is told to end. `with agent:` serves meanwhile, in a thread; `async with agent:` as
    a task of the event loop, in which its coroutine functions then run. Leaving tells the registry, and finishes what
    is being answered.
    """

    def __init__(
        self,
        function: Callable[P, R],
        offering: Offering,
        *,
        model: str | None,
        registry: str | None,
        host: str | None,
        port: int,
    ) -> None:
        """What `llm_provider` is told."""
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__name__ = getattr(function, "__name__", offering.name)
        self.name = offering.name
        self.id: str | None = None
        self._offering = offering
        self._model = model
        self._registry = registry
        self._host = host
        self._port = port
        self._endpoint: str | None = None
        self._membership: Membership | None = None
        self._thread: ServedInThread | None = None
        self._leaving: AsyncExitStack | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function itself, without any mesh."""
        return self.__wrapped__(*args, **kwargs)

    @property
    def endpoint(self) -> str | None:
        """Where it serves; None while it does not. MCP is at `/mcp` there."""
        return self._endpoint

    @property
    def is_registered(self) -> bool:
        """Whether the registry knows it, as far as it knows."""
        return self._membership is not None and self._membership.is_registered

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then leave, and finish what is being answered.

        Raises:
            UnderstudyError: it cannot be served as it is configured.
            OSError: the port is taken.
        """
        asyncio.run(self._until_signalled())

    def start(self) -> None:
        """Serve in a thread; returns once it serves and has told the registry.

        Raises:
            UnderstudyError: as `run`.
            OSError: as `run`.
            RuntimeError: it serves already.
        """
        self._check_is_idle()
        thread = ServedInThread(self.served, name=f"agent-{self.name}")
        thread.start()
        self._thread = thread

    def stop(self) -> None:
        """Leave, and finish what is being answered. An agent that does not serve may be stopped, too."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve in this event loop for as long as the block lasts."""
        addresses = Addresses(os.environ, registry=self._registry, timeout=None)
        host = self._host or own_address(addresses.registry.url)
        connection = AsyncConnection(addresses.registry, None, transport=None, clock=Clock(), name="the registry")
        with listening(host, self._port) as listener:
            port = listener.getsockname()[1]
            self._endpoint = f"http://{host}:{port}"
            self.id = f"{self.name}-{token_hex(4)}"  # not before: processes may have been forked since
            body = registration(self._offering, agent_id=self.id, host=host, port=port)
            self._membership = membership = Membership(connection, body)
            try:
                async with self._answering() as answering:
                    app = mcp_app(self._offering, answering, host=host)
                    async with serving(app, listener), membership.held():
                        yield
            finally:
                self.id, self._endpoint, self._membership = None, None, None
                await connection.close()

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[Answering]:
        if self._model is None:
            function: Callable[..., Any] = self.__wrapped__
            # Of its own: were they those of all agents of a loop, one that asks another could take them all, and wait.
            threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"agent-{self.name}")
            try:
                yield Function(function, threads)
            finally:
                threads.shutdown(wait=False)
            return
        async with AsyncClient() as client:
            yield Model(client, self._model)

    async def _until_signalled(self) -> None:
        ends = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, ends.set)
        async with self.served():
            await ends.wait()

    def _check_is_idle(self) -> None:
        if self._endpoint is not None or self._thread is not None:
            raise RuntimeError(f"the agent {self.name} serves already")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self._check_is_idle()
        leaving = AsyncExitStack()
        await leaving.enter_async_context(self.served())
        self._leaving = leaving
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            await leaving.aclose()

    def __repr__(self) -> str:
        return f"Agent({self.name!r}, {self._endpoint or 'not serving'})"
