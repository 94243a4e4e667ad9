"""What a mock says: from what was asked to text, tool calls, finish reason and usage.

Pure and without a wire format: the same ask and settings always give the same reply, and every dialect encodes it.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import shake_256
from itertools import cycle, islice
from math import ceil, sqrt

from understudy.mock.asks import Chat, Embeddings, Tool
from understudy.mock.schemas import example
from understudy.mock.settings import Settings

# One English token is about four characters: https://platform.openai.com/tokenizer
_CHARACTERS_A_TOKEN = 4
# JSON leaves in slices of this many characters, so that a reader has to put an object together again.
_SLICE = 8
# An echo of a long prompt helps nobody.
_LONGEST_ECHO = 200

_WORDS = re.compile(r"\s*\S+(?:\s+$)?|\s+")


class Finish(StrEnum):
    """Why an answer ends."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool; `arguments` is JSON in the pieces in which a stream brings it."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: the pieces of its text, or tool calls."""

    pieces: tuple[str, ...]
    tool_calls: tuple[ToolCall, ...]
    finish: Finish


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in and out, over all choices."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: the choices, which are all alike, and what they cost."""

    choices: tuple[Choice, ...]
    usage: Usage

    @property
    def tokens_each(self) -> int:
        """The tokens of one choice."""
        return self.usage.completion_tokens // len(self.choices)


def tokens_in(text: str) -> int:
    """Return about how many tokens `text` has."""
    return ceil(len(text) / _CHARACTERS_A_TOKEN)


def reply_to(chat: Chat, *, name: str, settings: Settings) -> Reply:
    """Return the answer of the mock called `name`."""
    if chat.calls:
        choice, tokens = _call(chat.calls)
    else:
        choice = _say(chat, name=name, settings=settings)
        tokens = len(choice.pieces)
    return Reply((choice,) * chat.choices, Usage(chat.prompt_tokens, tokens * chat.choices))


def vectors_for(ask: Embeddings) -> list[list[float]]:
    """Return one vector of length 1 an input; equal inputs have equal vectors."""
    return [_vector(text, ask.dimensions) for text in ask.inputs]


def _call(tools: tuple[Tool, ...]) -> tuple[Choice, int]:
    calls = tuple(ToolCall(tool.name, _sliced(json.dumps(example(tool.parameters)))) for tool in tools)
    tokens = sum(len(call.arguments) + tokens_in(call.name) for call in calls)
    return Choice((), calls, Finish.TOOL_CALLS), tokens


def _say(chat: Chat, *, name: str, settings: Settings) -> Choice:
    text = settings.reply if settings.reply is not None else _sentence(chat, name)
    if chat.schema is not None and settings.reply is None:
        value = example(chat.schema, label=text) if chat.schema else {"answer": text}
        pieces = _sliced(json.dumps(value, ensure_ascii=False))
    else:
        pieces = _words(text, settings.tokens)
    if chat.max_tokens is not None and len(pieces) > chat.max_tokens:
        return Choice(pieces[: chat.max_tokens], (), Finish.LENGTH)
    return Choice(pieces, (), Finish.STOP)


def _sentence(chat: Chat, name: str) -> str:
    text = f"This is {name}, answering as {chat.model}."
    if chat.tool_result is not None:
        return f'{text} The tool returned: "{_short(chat.tool_result)}"'
    return f'{text} You said: "{_short(chat.said)}"' if chat.said else text


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"


@lru_cache(maxsize=128)
def _words(text: str, count: int | None) -> tuple[str, ...]:
    """Cut `text` into words that join to it again, cut off or repeated to `count` words if that is given."""
    words = _WORDS.findall(text)
    if count is None or len(words) >= count or not words:
        return tuple(words[:count])
    again = cycle([f" {words[0].lstrip()}", *words[1:]])
    return (*words, *islice(again, count - len(words)))


def _sliced(text: str) -> tuple[str, ...]:
    return tuple(text[start : start + _SLICE] for start in range(0, len(text), _SLICE))


def _vector(text: str, dimensions: int) -> list[float]:
    digest = shake_256(text.encode()).digest(2 * dimensions)
    raw = [int.from_bytes(digest[at : at + 2], "big") / 32768 - 1 for at in range(0, 2 * dimensions, 2)]
    length = sqrt(sum(x * x for x in raw)) or 1.0
    return [x / length for x in raw]
