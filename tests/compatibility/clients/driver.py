"""One SDK behind standard input and output: a task a line comes in, what a user of the SDK would notice goes out.

Starting Python with an SDK takes seconds, so a driver lives for a whole run. It runs in the SDK's own virtual
environment and needs nothing but Python. What the SDK prints goes to standard error.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

from compatibility.clients.subjects import TOOLS

MOST_TURNS = 3
"""A conversation that calls tools again and again is ended."""


@dataclass(slots=True, kw_only=True)
class Task:
    """One conversation to have, or another call to make.

    Attributes:
        base_url: The server's address, without any path of a dialect.
        model: The model to ask for.
        text: What to say.
        then: The model to ask for from the second turn on; the same where there is none.
        call: Another call than a conversation, by its name among those of the driver.
        stream: Whether to ask for streams.
        tools: The names of the tools to offer.
        image: Whether to send a picture, too.
        schema: Whether to ask for a `Trip`.
        think: Whether to ask for thoughts.
    """

    base_url: str
    model: str
    text: str
    then: str = ""
    call: str = ""
    stream: bool = False
    tools: Sequence[str] = ()
    image: bool = False
    schema: bool = False
    think: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call, its arguments parsed; the id where the SDK tells one."""

    id: str | None
    name: str
    arguments: Any


@dataclass(slots=True, kw_only=True)
class Turn:
    """What the model said in one turn.

    Attributes:
        text: All of the text.
        calls: The tool calls, in order.
        finish: Why it ended, in the SDK's words.
        usage: Tokens read and written, as the SDK tells them; None where it tells none.
        cached: Those of the tokens read that a cache had, as the SDK tells them.
        thoughts: What the model thought before it spoke.
        parsed: The `Trip`, if one was asked for.
        native: What the next request needs of this one, in the SDK's own types; not reported.
    """

    text: str
    calls: list[Call] = field(default_factory=list)
    finish: str | None = None
    usage: tuple[int, int] | None = None
    cached: int | None = None
    thoughts: str = ""
    parsed: dict[str, Any] | None = None
    native: Any = None


class Heard:
    """The pieces of text of the running turn: what a user has seen when a stream breaks off."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def __call__(self, piece: str | None) -> None:
        """Note a piece of text; nothing is none."""
        if piece:
            self.pieces.append(piece)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)


class Conversation(Protocol):
    """A conversation as an app has it with its SDK."""

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far, and keep the answer."""

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned for the next `ask`."""


# The level at which each tells of a request that was answered.
_LIBRARIES = {"httpx": logging.INFO, "httpx2": logging.INFO, "urllib3.connectionpool": logging.DEBUG}


class _Requests(logging.Handler):
    """Counts the requests that went out, by the lines that the HTTP libraries log of each."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line that tells of a request."""
        self.count += "HTTP/1.1" in record.getMessage()


Calls = Mapping[str, Callable[[Task], Any]]
"""What else an SDK can do: `models` gives names, `embeddings` vectors of `TEXTS`, `count tokens` a number."""


def serve(begin: Callable[[Task], Conversation], calls: Calls = MappingProxyType({})) -> None:
    """Answer tasks until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    requests = _Requests()
    for name, level in _LIBRARIES.items():
        library = logging.getLogger(name)
        library.setLevel(level)
        library.addHandler(requests)
        library.propagate = False
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        before = requests.count
        task = Task(**json.loads(line))
        report = _make(calls[task.call], task) if task.call else _have(begin, task)
        answers.write(json.dumps({**report, "requests": requests.count - before}) + "\n")
        answers.flush()


def _have(begin: Callable[[Task], Conversation], task: Task) -> dict[str, Any]:
    """Have a conversation: ask, run the tools that are called, ask again."""
    turns: list[dict[str, Any]] = []
    heard = Heard()
    error = None
    try:
        conversation = begin(task)
        for _ in range(MOST_TURNS):
            heard = Heard()
            turn = conversation.ask(heard)
            turns.append({**asdict(replace(turn, native=None)), "pieces": len(heard.pieces), "heard": heard.text})
            if not turn.calls:
                break
            task.model = task.then or task.model
            conversation.tell(turn, [(call, TOOLS[call.name].result) for call in turn.calls])
    except Exception as raised:  # noqa: BLE001 - whatever the SDK raises is what the user gets
        error = _told(raised)
    return {"turns": turns, "heard": heard.text, "error": error}


def _make(call: Callable[[Task], Any], task: Task) -> dict[str, Any]:
    """Make a call that is no conversation."""
    try:
        return {"value": call(task)}
    except Exception as raised:  # noqa: BLE001 - whatever the SDK raises is what the user gets
        return {"error": _told(raised)}


def _told(raised: Exception) -> dict[str, Any]:
    """What an exception tells the one who catches it."""
    status = getattr(raised, "status_code", None) or getattr(raised, "code", None)
    headers = getattr(raised, "litellm_response_headers", None)
    headers = headers or getattr(getattr(raised, "response", None), "headers", {})
    delays = re.findall(r"'retryDelay': '([^']+)'", str(raised))  # Google's clients find it in the body
    return {
        "classes": [kind.__name__ for kind in type(raised).__mro__ if kind not in {BaseException, object}],
        "status": status if isinstance(status, int) else None,
        "message": str(raised),
        "retry_after": headers.get("retry-after-ms") or headers.get("retry-after") or "".join(delays),
    }
