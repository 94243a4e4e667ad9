"""Many requests: what is asked, what came of each, and how far it is."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from understudy.client._errors import ConfigurationError, UnderstudyError
from understudy.client._requests import Ask, Call, ChatOptions, Messages, chat_call
from understudy.client._results import ChatResult

CONCURRENCY = 8

Progress = bool | Callable[[int, int], None]
"""Whether to show a bar on standard error; or what is told how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request: a result, or an error."""

    result: ChatResult | None = None
    error: UnderstudyError | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a result."""
        return self.result is not None

    def unwrap(self) -> ChatResult:
        """The result.

        Raises:
            UnderstudyError: there is none.
        """
        if self.result is None:
            raise self.error or UnderstudyError("nothing came of it")
        return self.result


def batch_calls(
    requests: Iterable[Messages | Ask], *, model: str | None, concurrency: int, options: ChatOptions
) -> list[Call]:
    """All requests, so that one that cannot be made is known before any is sent.

    Raises:
        TypeError: one is no conversation, or nothing says whom to ask.
        ValueError: with this `concurrency` none would be sent.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}; it takes 1 or more")
    return [_call(each, index, model, options) for index, each in enumerate(requests)]


def _call(request: Messages | Ask, index: int, model: str | None, options: ChatOptions) -> Call:
    if isinstance(request, Mapping):
        raise TypeError(f"request {index} is one message; a conversation is a text, a list of messages or an Ask")
    ask = request if isinstance(request, Ask) else Ask(request)
    name = ask.model or model
    if not name:
        raise TypeError(f"request {index} says no model, and neither does batch(model=)")
    return chat_call(name, ask.messages, {**options, **ask.options}, stream=False)


@contextmanager
def shown(progress: Progress, total: int) -> Iterator[Callable[[], None]]:
    """What is to be called when one more is done.

    Raises:
        ConfigurationError: a bar is wanted, and the library that draws it is not there.
    """
    if progress is True:
        with _bar(total) as step:
            yield step
        return
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if callable(progress):
            progress(done, total)

    yield count


@contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
    except ModuleNotFoundError as error:
        raise ConfigurationError("a progress bar needs rich: pip install 'understudy[client,progress]'") from error
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
