"""What a mock says: from what was asked to text, tool calls, finish reason and usage.

Pure and without a wire format: the same ask and settings always give the same reply, and every dialect encodes it.
"""

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import cycle, islice
from math import ceil

from understudy.mock.asks import Chat, Tool
from understudy.mock.directions import Directions, directions_in
from understudy.mock.failures import bad_request
from understudy.mock.media import told
from understudy.mock.schemas import example
from understudy.mock.settings import Settings

# One English token is about four characters: https://platform.openai.com/tokenizer
_CHARACTERS_A_TOKEN = 4
# JSON leaves in slices of this many characters, so that a reader has to put an object together again.
_SLICE = 8
# An echo of a long prompt helps nobody.
_LONGEST_ECHO = 200

_REFUSAL = "I cannot help with that."

_WORDS = re.compile(r"\s*\S+(?:\s+$)?|\s+")
# Vendors differ in which characters a tool's name may have; a gateway puts others in their place.
_UNUSUAL = re.compile(r"[^A-Za-z0-9]")


class Finish(StrEnum):
    """Why an answer ends."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool; `arguments` is JSON in the pieces in which a stream brings it."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer, in the order in which it is given: thoughts, text, tool calls.

    Attributes:
        pieces: The pieces of its text; of a refusal, its words.
        tool_calls: The tools it calls, all at once.
        finish: Why it ends.
        thoughts: The pieces of what was thought before it.
        stopped_at: The text of `Chat.stop` that ended it.
    """

    pieces: tuple[str, ...]
    tool_calls: tuple[ToolCall, ...]
    finish: Finish
    thoughts: tuple[str, ...] = ()
    stopped_at: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in and out, over all choices.

    Attributes:
        prompt_tokens: All that went in, cached or not.
        completion_tokens: All that came out, thoughts included.
        cached_tokens: Those of the prompt that a cache had.
        written_tokens: Those of the prompt that went into a cache.
        reasoning_tokens: Those of the completion that are thoughts.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    written_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def uncached_tokens(self) -> int:
        """The tokens of the prompt that no cache had or got: what some vendors call the input."""
        return self.prompt_tokens - self.cached_tokens - self.written_tokens


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
    """Return the answer of the mock called `name`.

    Raises:
        RefusedError: If the user asks for a call of a tool that is not offered.
    """
    directed, anew = _directed(chat)
    thoughts = _words(directed.think, None) if directed.think else ()
    choice = replace(_choice(chat, directed, anew=anew, name=name, settings=settings), thoughts=thoughts)
    tokens = len(choice.pieces) + sum(len(call.arguments) + tokens_in(call.name) for call in choice.tool_calls)
    usage = Usage(
        prompt_tokens=max(chat.prompt_tokens, directed.cached + directed.written),
        completion_tokens=(len(thoughts) + tokens) * chat.choices,
        cached_tokens=directed.cached,
        written_tokens=directed.written,
        reasoning_tokens=len(thoughts) * chat.choices,
    )
    return Reply((choice,) * chat.choices, usage)


def _directed(chat: Chat) -> tuple[Directions, bool]:
    """Return the directions that hold, and whether they are new: what tools have returned to has had its answer."""
    directed = directions_in(chat.said)
    for _ in range(chat.rounds):
        if directed.then is None:
            return directed, False
        directed = directions_in(directed.then)
    return directed, chat.tool_result is None or chat.rounds > 0


def _choice(chat: Chat, directed: Directions, *, anew: bool, name: str, settings: Settings) -> Choice:
    """Decide between a refusal, tool calls and text."""
    if anew and directed.refuse:
        return Choice(_words(_REFUSAL, None), (), Finish.REFUSAL)
    # Whether a later turn may call anything is for the caller to say, and not for who wrote the direction.
    may_call = chat.tools or not chat.rounds
    tools = _named(chat, directed.calls) if anew and may_call and directed.calls is not None else chat.calls
    said = directed.say if anew else None
    if tools:
        calls = tuple(ToolCall(tool.name, _sliced(json.dumps(example(tool.parameters)))) for tool in tools)
        return Choice(_words(said or "", None), calls, Finish.TOOL_CALLS)
    if said is not None:
        return _ended(_words(said, None), chat)
    return _ended(_text(chat, directed.rest, name=name, settings=settings), chat)


def _named(chat: Chat, names: tuple[str, ...]) -> tuple[Tool, ...]:
    """Return the tools that a direction names: by place, or by name as far as a gateway may have changed it."""
    known = {str(place): tool for place, tool in enumerate(chat.tools, start=1)}
    known |= {_plain(tool.name): tool for tool in chat.tools}
    missing = [name for name in names if _plain(name) not in known]
    if missing or not chat.tools:
        offered = ", ".join(tool.name for tool in chat.tools) or "none"
        raise bad_request(f"[call: {', '.join(names)}] asks for a tool that the request does not offer: {offered}.")
    tools = tuple(known[_plain(name)] for name in names) or chat.tools[:1]
    return tools if chat.parallel else tools[:1]


def _plain(name: str) -> str:
    return _UNUSUAL.sub("_", name)


def _text(chat: Chat, said: str, *, name: str, settings: Settings) -> tuple[str, ...]:
    """Return the pieces of what a mock says by itself, or as it is set to."""
    if settings.reply is not None:
        return _words(settings.reply, settings.tokens)
    sentence = _sentence(chat, said, name)
    if chat.schema is None:
        return _words(sentence, settings.tokens)
    value = example(chat.schema, label=sentence) if chat.schema else {"answer": sentence}
    return _sliced(json.dumps(value, ensure_ascii=False))


def _ended(pieces: tuple[str, ...], chat: Chat) -> Choice:
    """End a text where the request says so."""
    pieces, stopped_at = _stopped(pieces, chat.stop)
    if chat.max_tokens is not None and len(pieces) > chat.max_tokens:
        return Choice(pieces[: chat.max_tokens], (), Finish.LENGTH)
    return Choice(pieces, (), Finish.STOP, stopped_at=stopped_at)


def _stopped(pieces: tuple[str, ...], stop: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """End a text before the first of `stop`."""
    text = "".join(pieces) if stop else ""
    places = [(text.find(one), one) for one in stop if one and one in text]
    if not places:
        return pieces, None
    end, found = min(places)
    kept: list[str] = []
    for piece in pieces:
        kept.append(piece[:end])
        end -= len(piece)
        if end <= 0:
            break
    return tuple(piece for piece in kept if piece), found


def _sentence(chat: Chat, said: str, name: str) -> str:
    parts = [f"This is {name}, answering as {chat.model}."]
    if chat.tool_result is not None:
        parts.append(f'The tool returned: "{_short(chat.tool_result)}"')
    elif said:
        parts.append(f'You said: "{_short(said)}"')
    if chat.media:
        parts.append(told(chat.media))
    return " ".join(parts)


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
