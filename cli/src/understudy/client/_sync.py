"""The client for code that waits. What goes over the wire, and what is made of it, is shared with `_async`."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from contextvars import Context, copy_context
from itertools import count
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, overload

import httpx2

from understudy.client._answers import Body, check_is_stream
from understudy.client._batches import CONCURRENCY, Outcome, Progress, batch_calls, shown
from understudy.client._clock import Clock
from understudy.client._errors import UnderstudyError
from understudy.client._failures import from_transport
from understudy.client._http import authorization, http_options
from understudy.client._readiness import ASK_SECONDS, not_ready, pauses
from understudy.client._requests import MODELS, READY, Ask, Call, ChatOptions, Messages, chat_call
from understudy.client._results import ChatResult, Model, chat_result, model_list
from understudy.client._retrying import Retrying
from understudy.client._settings import Settings
from understudy.client._sync_stream import ChatStream
from understudy.client._tool_loop import MAX_ROUNDS, ToolLoop, ToolRun, Wanted
from understudy.client._tools import raised, told

_PARALLEL_CALLS = 8
"""Functions that one answer's calls run in at the same time."""
T = TypeVar("T")


class Client:
    """A gateway, asked from code that waits for its answers. Safe to share among threads; close it when done."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        token_file: str | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = Clock(),  # noqa: B008 - frozen
    ) -> None:
        """Ask the gateway at `url`; whatever is left out comes from the environment (`docs/client.md`).

        Args:
            url: With or without /v1 at its end; `/ns/NAMESPACE` before that pins the namespace.
            api_key: "" for none, whatever the environment holds.
            token_file: A file with a token that somebody else renews.
            timeout: The longest silence, in seconds.
            retries: How often what passes is asked again.
            headers: Sent with every request.
            transport: httpx2's, for proxies and certificates of one's own.
            clock: Where waits and chance come from.

        Raises:
            ConfigurationError: a value that cannot be one.
        """
        self._settings = Settings.read(
            os.environ, url=url, api_key=api_key, token_file=token_file, timeout=timeout, retries=retries
        )
        self._retrying = Retrying(self._settings.retries)
        self._clock = clock
        self._http = httpx2.Client(**http_options(self._settings, headers), transport=transport)

    @overload
    def chat(
        self, model: str, messages: Messages, *, stream: Literal[False] = False, **options: Unpack[ChatOptions]
    ) -> ChatResult: ...

    @overload
    def chat(
        self, model: str, messages: Messages, *, stream: Literal[True], **options: Unpack[ChatOptions]
    ) -> ChatStream: ...

    @overload
    def chat(
        self, model: str, messages: Messages, *, stream: bool, **options: Unpack[ChatOptions]
    ) -> ChatResult | ChatStream: ...

    def chat(
        self, model: str, messages: Messages, *, stream: bool = False, **options: Unpack[ChatOptions]
    ) -> ChatResult | ChatStream:
        """Ask a route, a persona (`persona/NAME`) or a model (`PROVIDER/MODEL`), once.

        Args:
            model: Whom to ask.
            messages: A text, or a conversation in OpenAI's form.
            stream: Return as soon as the answer begins.
            options: See `ChatOptions`.

        Raises:
            UnderstudyError: no answer, after as many retries as are set.
        """
        call = chat_call(model, messages, options, stream=stream)
        return self._retried(lambda: self._open(call)) if stream else self._answered(call)

    def run(
        self, model: str, messages: Messages, *, max_rounds: int = MAX_ROUNDS, **options: Unpack[ChatOptions]
    ) -> ToolRun:
        """Ask, call the `tools` that the model wants called, tell it the results, until it is done.

        Calls of one answer run at the same time, each in a thread. What a function raises is told to the model.

        Raises:
            TooManyRounds: the model was asked `max_rounds` times, and still calls.
            TypeError: a tool is no function, or one that must be awaited.
            UnderstudyError: as `chat`.
        """
        loop = ToolLoop(messages, options, max_rounds=max_rounds)
        if loop.needs_async:
            raise TypeError(f"{loop.needs_async} must be awaited: use AsyncClient")
        with ThreadPoolExecutor(_PARALLEL_CALLS, thread_name_prefix="understudy-tool") as pool:
            while True:
                took = loop.take(self.chat(model, loop.messages, **loop.options))
                if isinstance(took, ToolRun):
                    return took
                contexts = [copy_context() for _ in took]
                loop.give(took, list(pool.map(_perform_in, contexts, took)))

    def batch(
        self,
        requests: Iterable[Messages | Ask],
        *,
        model: str | None = None,
        concurrency: int = CONCURRENCY,
        progress: Progress = False,
        **options: Unpack[ChatOptions],
    ) -> list[Outcome]:
        """Ask many, `concurrency` at a time; what came of each, in the order of the requests.

        Args:
            requests: A text, a conversation, or an `Ask` each.
            model: Whom to ask, where an `Ask` does not say another.
            concurrency: How many are under way at once.
            progress: A bar on standard error, or a function that is told (done, of how many).
            options: For all, where an `Ask` does not say another.

        Raises:
            TypeError: a request cannot be made; then none is.
        """
        calls = batch_calls(requests, model=model, options=options)
        with shown(progress, len(calls)) as step, ThreadPoolExecutor(max(1, concurrency)) as pool:
            futures = [pool.submit(copy_context().run, self._outcome, call) for call in calls]
            try:
                for future in as_completed(futures):
                    future.result()
                    step()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def models(self) -> tuple[Model, ...]:
        """The names that this caller may ask for.

        Raises:
            UnderstudyError: as `chat`.
        """
        return model_list(self._retried(lambda: self._ask(MODELS))[0])

    def wait_until_ready(self, within_seconds: float = 60.0) -> None:
        """Wait until the gateway would be sent requests.

        Raises:
            Unavailable: not by then; the message says what it answered last.
        """
        deadline = self._clock.now() + within_seconds
        for pause in pauses():
            try:
                self._ask(READY, silence=min(ASK_SECONDS, within_seconds))
            except UnderstudyError as error:
                if self._clock.now() + pause > deadline:
                    raise not_ready(self._settings.url, seconds=within_seconds, error=error) from error
                self._clock.sleep(pause)
            else:
                return

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._settings.url!r})"

    def _answered(self, call: Call) -> ChatResult:
        return chat_result(*self._retried(lambda: self._ask(call)))

    def _outcome(self, call: Call) -> Outcome:
        try:
            return Outcome(result=self._answered(call))
        except UnderstudyError as error:
            return Outcome(error=error)

    def _retried(self, once: Callable[[], T]) -> T:
        for retried in count():
            try:
                return once()
            except UnderstudyError as error:
                wait = self._retrying.wait(error, retried=retried, draw=self._clock.chance())
                if wait is None:
                    raise
            self._clock.sleep(wait)
        raise AssertionError("count() does not end")

    def _ask(self, call: Call, *, silence: float | None = None) -> tuple[Any, httpx2.Headers]:
        """The JSON of a success and its headers."""
        with closing(self._sent(call, silence=silence)) as response:
            return self._read(response).decoded(response), response.headers

    def _open(self, call: Call) -> ChatStream:
        with ExitStack() as leaving:
            response = leaving.enter_context(closing(self._sent(call)))
            if not response.is_success:
                raise self._read(response).refused(response)
            check_is_stream(response)
            leaving.pop_all()
        return ChatStream(response)

    def _sent(self, call: Call, *, silence: float | None = None) -> httpx2.Response:
        """The answer, with its body yet to be read."""
        request = self._http.build_request(
            call.method,
            call.path,
            json=call.body,
            headers=authorization(self._settings),
            timeout=self._http.timeout if silence is None else silence,
        )
        try:
            return self._http.send(request, stream=True)
        except httpx2.RequestError as error:
            raise from_transport(error, url=self._settings.url) from error

    def _read(self, response: httpx2.Response) -> Body:
        body = Body()
        try:
            for piece in response.iter_bytes():
                body.add(piece)
        except httpx2.RequestError as error:
            raise from_transport(error, url=self._settings.url) from error
        return body


def _perform_in(context: Context, wanted: Wanted) -> str:
    """Make a call with the context variables of whoever asked, such as the trace that it belongs to."""
    return context.run(_perform, wanted)


def _perform(wanted: Wanted) -> str:
    """Make a call, and tell what came of it."""
    if isinstance(wanted.action, str):
        return wanted.action
    try:
        return told(wanted.action.function(**wanted.action.arguments))
    except Exception as error:  # noqa: BLE001 - whatever a function raises is the model's to know
        return raised(error)
