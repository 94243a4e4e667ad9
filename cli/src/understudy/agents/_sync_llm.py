"""A model that agents offer, asked from code that waits."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from threading import Lock
from typing import Any, Literal, TypeVar, Unpack, overload

from understudy.agents._addresses import Addresses
from understudy.agents._asking import AgentFold, agent_call, agent_headers, as_event, asked, is_stream, refused
from understudy.agents._directory import AGENTS, ASK_SECONDS, Directory, no_list, untried
from understudy.agents._matching import Offer
from understudy.agents._tracing import TRACE
from understudy.client import (
    ChatOptions,
    ChatResult,
    ChatStream,
    Clock,
    Interrupted,
    ToolRun,
    Unavailable,
    UnderstudyError,
)
from understudy.client._requests import Messages
from understudy.client._sync_connection import Connection
from understudy.client._sync_running import run_loop
from understudy.client._tool_loop import MAX_ROUNDS, ToolLoop

T = TypeVar("T")


class LLM:
    """A model that agents offer: call it with a text or a conversation. `@llm` hands it to a function for one call."""

    def __init__(self, directory: Directory, addresses: Addresses, clock: Clock) -> None:
        """Whoever fits in `directory`, which is kept up to date."""
        self._directory = directory
        self._addresses = addresses
        self._clock = clock
        self._connections: dict[str, Connection] = {}
        self._lock = Lock()

    @overload
    def __call__(
        self, messages: Messages, *, stream: Literal[False] = False, **options: Unpack[ChatOptions]
    ) -> ChatResult: ...

    @overload
    def __call__(self, messages: Messages, *, stream: Literal[True], **options: Unpack[ChatOptions]) -> ChatStream: ...

    @overload
    def __call__(
        self, messages: Messages, *, stream: bool, **options: Unpack[ChatOptions]
    ) -> ChatResult | ChatStream: ...

    def __call__(
        self, messages: Messages, *, stream: bool = False, **options: Unpack[ChatOptions]
    ) -> ChatResult | ChatStream:
        """Ask whoever fits best; the next one where nobody answers there.

        Args:
            messages: A text, or a conversation in OpenAI's form.
            stream: Return as soon as the answer begins. It ends when the function does.
            options: See `ChatOptions`.

        Raises:
            ProviderNotFound: nobody fits.
            UnderstudyError: no answer.
        """
        request = asked(messages, options)
        if stream:
            return self._first(lambda offer: self._open(offer, request, stream=True), stream=True)

        def whole(offer: Offer) -> ChatResult:
            with self._open(offer, request, stream=False) as answer:
                return answer.result()

        return self._first(whole, stream=False)

    def run(self, messages: Messages, *, max_rounds: int = MAX_ROUNDS, **options: Unpack[ChatOptions]) -> ToolRun:
        """As `Client.run`: ask, call the `tools` that the model wants called, until it is done.

        Raises:
            TooManyRounds: the model was asked `max_rounds` times, and still calls.
            TypeError: a tool is no function, or one that must be awaited.
            UnderstudyError: as a call.
        """
        loop = ToolLoop(messages, options, max_rounds=max_rounds)
        return run_loop(loop, lambda: self(loop.messages, **loop.options))

    def close(self) -> None:
        """Close the connections."""
        while self._connections:
            self._connections.popitem()[1].close()

    def _first(self, use: Callable[[Offer], T], *, stream: bool) -> T:
        """What comes of the first one that answers, among those that are known, then among those there are now."""
        began, tried = self._clock.now(), set[str]()
        failure: UnderstudyError | None = None
        for again in (False, True):
            now = self._clock.now()
            if not (self._directory.was_asked_since(began) if again else self._directory.is_fresh(now)):
                self._look(now)
            for offer in untried(self._directory.candidates(now, stream=stream), tried):
                try:
                    return use(offer)
                except (Unavailable, Interrupted) as error:
                    self._directory.could_not_reach(offer, self._clock.now())
                    failure = error
        raise failure or self._directory.not_found()

    def _look(self, now: float) -> None:
        registry = self._connection(self._addresses.registry.url, name="the registry")
        try:
            listed, _ = registry.once(AGENTS, silence=ASK_SECONDS)
        except UnderstudyError as error:
            self._directory.keep(no_list(error, registry.settings.url), now)
        else:
            self._directory.take(listed, now)

    def _open(self, offer: Offer, request: Mapping[str, Any], *, stream: bool) -> ChatStream:
        connection = self._connection(offer.endpoint, name=f"the agent {offer.agent}")
        call = agent_call(offer, request, stream=stream, trace=TRACE.get())
        with ExitStack() as leaving:
            response = leaving.enter_context(closing(connection.send(call)))
            if not response.is_success:
                raise refused(connection.read(response).refused(response), offer)
            if not is_stream(response):
                response = as_event(connection.read(response).content, response)
            leaving.pop_all()
        return ChatStream(response, AgentFold(offer, stream=stream))

    def _connection(self, url: str, *, name: str) -> Connection:
        with self._lock:
            if url not in self._connections:
                registry = self._addresses.registry
                settings = registry if url == registry.url else self._addresses.agent(url)
                headers = agent_headers(settings.timeout)
                self._connections[url] = Connection(settings, headers, transport=None, clock=self._clock, name=name)
            return self._connections[url]
