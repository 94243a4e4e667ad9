"""What every vendor's client does, without its library: say something, and read all that comes back.

Each caller reads answers as strictly as its vendor's SDK does, so that what a library would trip over fails a test, and
says them in the words of all: what was said, thought and called, why it ended, what it took.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from harness.raw_http import Answer, exchange

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel, in base64."""
SCHEMA: Mapping[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = ("get_weather", "get_time")
"""What every request with tools offers; each takes a `SCHEMA`."""

Turn = Any
"""One message of a conversation, in a dialect's own JSON."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a tool."""

    id: str
    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer.

    Attributes:
        text: All that was said; the words of a refusal where the dialect has no place of their own for them.
        thoughts: What was thought, as far as it was shown.
        refusal: The words of a refusal, where the dialect has a place of their own for them.
        calls: The tools to call.
        finish: Why it ended, in OpenAI's words; None where it did not end.
        usage: Tokens: `input` with `cached` and `written`, `output` with `reasoning`; what the dialect has no word for
            is not there.
        turns: What a client sends back of it when the conversation goes on.
    """

    text: str = ""
    thoughts: str = ""
    refusal: str = ""
    calls: tuple[Called, ...] = ()
    finish: str | None = None
    usage: Mapping[str, int] | None = None
    turns: tuple[Turn, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Wrong:
    """An error, of a refusal or in a stream.

    Attributes:
        message: For people.
        kind: In the dialect's word for what kind of error it is.
        code: What says more to a program.
        seconds: When to come back, where the body says it.
    """

    message: str
    kind: str | None = None
    code: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for.

    Attributes:
        turns: The conversation so far.
        model: The name asked for.
        stream: Whether as a stream.
        tools: Whether `TOOLS` are offered.
        think: Whether to think, and show it.
        most: The tokens that an answer may have.
    """

    turns: Sequence[Turn]
    model: str = "chat"
    stream: bool = False
    tools: bool = False
    think: bool = False
    most: int | None = None


class Caller(ABC):
    """A client of one dialect."""

    counts = frozenset({"input", "output", "cached", "written", "reasoning"})
    """The tokens it is told."""
    headers: Mapping[str, str] = {"content-type": "application/json"}

    @abstractmethod
    def path(self, asking: Asking) -> str:
        """Where to send it."""

    @abstractmethod
    def body(self, asking: Asking) -> dict[str, Any]:
        """What to send."""

    @abstractmethod
    def user(self, text: str, *, image: bool = False) -> Turn:
        """What a user says, and shows."""

    @abstractmethod
    def results(self, calls: Sequence[Called], *texts: str) -> list[Turn]:
        """What the called tools returned."""

    @abstractmethod
    def read(self, body: Any) -> Heard:
        """A whole answer."""

    @abstractmethod
    def events(self, body: bytes) -> list[Any]:
        """What a stream consists of, as far as it came; AssertionError for what is framed wrongly."""

    @abstractmethod
    def put_together(self, events: Sequence[Any]) -> Heard:
        """What the events of a stream amount to."""

    @abstractmethod
    def unfinished(self, events: Sequence[Any]) -> str:
        """What the events of a stream without an end say; AssertionError if one of them is an end."""

    @abstractmethod
    def error_in(self, event: Any) -> Wrong | None:
        """The error that a body or an event of a stream is, if it is one."""

    async def send(self, port: int, asking: Asking, headers: Mapping[str, str] | None = None, **fields: Any) -> Answer:
        """Ask on a connection of its own; `fields` are further ones of the body."""
        body = orjson.dumps(self.body(asking) | fields)
        return await exchange(port, "POST", self.path(asking), body, {**self.headers, **(headers or {})})

    async def ask(self, port: int, text: str, **asking: Any) -> Heard:
        """Have a conversation of one turn."""
        return await self.go_on(port, Asking([self.user(text)], **asking))

    async def go_on(self, port: int, asking: Asking) -> Heard:
        """Have an answer, whole or streamed, that came to its proper end."""
        answer = await self.send(port, asking)
        assert (200, True) == (answer.status, answer.complete), answer
        return self.heard(answer, stream=asking.stream)

    def heard(self, answer: Answer, *, stream: bool) -> Heard:
        """Read an answer."""
        if not stream:
            return self.read(answer.json())
        events = self.events(answer.body)
        assert [] == [wrong for event in events if (wrong := self.error_in(event)) is not None]
        return self.put_together(events)

    def wrong(self, answer: Answer) -> Wrong | None:
        """The error of a refusal, or the one that ends a stream."""
        if answer.headers["content-type"].startswith("application/json") and answer.status != 200:
            return self.error_in(answer.json())
        events = self.events(answer.body)
        wrongs = [wrong for event in events if (wrong := self.error_in(event)) is not None]
        assert len(wrongs) <= 1
        assert not wrongs or self.error_in(events[-1]) is not None
        return wrongs[0] if wrongs else None
