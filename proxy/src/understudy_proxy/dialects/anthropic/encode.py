"""A canonical request to the body of one in this dialect."""

from dataclasses import dataclass
from typing import Any

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.anthropic import answering
from understudy_proxy.dialects.anthropic.blocks import Block, Blocks
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.claude.json_tool import JSON_INSTRUCTION, described
from understudy_proxy.dialects.claude.models import Claude, claude
from understudy_proxy.dialects.claude.thinking import Thought, thought
from understudy_proxy.dialects.request_error import Unsupported

_DEFAULT_MAX_TOKENS = 4096
"""For models whose limit nobody has said: every Claude can write so much."""
_MOST_BY_DEFAULT = 16_384
"""Whoever wants a longer answer says so. A larger bound would have to fit into the window beside the prompt, and
Anthropic's own SDKs refuse to wait for it without a stream."""
_ROOM_TO_ANSWER = 4096
"""Beside what is thought."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request, and what reading its answer takes."""

    body: dict[str, Any]
    names: Renaming
    ids: Renaming
    json_tool: bool
    """An answer to a JSON Schema comes as a call of `json_tool.JSON_TOOL`."""
    warnings: tuple[str, ...]


def encode(chat: Chat, candidate: Candidate) -> Encoded:
    """The request as `candidate` is to get it.

    Raises:
        RequestError: it is wrong.
        Unsupported: this dialect cannot say it.
    """
    if chat.choices > 1:
        raise Unsupported("Anthropic gives one answer at a time: ask with n = 1, several times.", param="n")
    model, blocks = claude(candidate.upstream_model), Blocks()
    for name in chat.extra:
        blocks.warn(f"'{name[:64]}' was left out: Anthropic has no such parameter.")
    body: dict[str, Any] = {"model": candidate.upstream_model, "messages": blocks.messages(chat.messages)}
    if system := _system(chat, blocks):
        body["system"] = system
    for_json = chat.format is not None and chat.format.schema is not None and not model.json_schema
    choice = _add_tools(chat, model, blocks, body, for_json=for_json)
    thinks = thought(chat, model, forced=choice in {"any", "tool"}, warn=blocks.warn)
    body["max_tokens"] = _max_tokens(chat, candidate, thinks)
    _add_output(chat, model, body, thinks)
    body |= answering.sampling(chat.sampling, model, blocks, thinks=thinks.on)
    body |= answering.service(chat, blocks)
    if chat.stream:
        body["stream"] = True
    return Encoded(body, blocks.names, blocks.ids, for_json, tuple(blocks.warnings))


_NOT_COUNTED = ("max_tokens", "metadata", "service_tier", "stop_sequences", "stream", "temperature", "top_k", "top_p")


def to_count(body: dict[str, Any]) -> dict[str, Any]:
    """The same request as it is to be counted, not answered."""
    return {name: value for name, value in body.items() if name not in _NOT_COUNTED}


def _system(chat: Chat, blocks: Blocks) -> list[Block]:
    system = blocks.texts(chat.system)
    if chat.format is not None and chat.format.schema is None:
        blocks.warn("JSON was asked for through the system prompt: Anthropic has no mode that promises it.")
        system.append({"type": "text", "text": JSON_INSTRUCTION})
    return system


def _add_tools(chat: Chat, model: Claude, blocks: Blocks, body: dict[str, Any], *, for_json: bool) -> str | None:
    """Add tools and their choice to `body`; the choice's type."""
    tools = answering.tools(chat, model, blocks, for_json=for_json)
    choice = answering.tool_choice(chat, blocks, any_offered=bool(tools), for_json=for_json)
    if tools:
        body["tools"] = tools
    if choice is None:
        return None
    body["tool_choice"] = choice
    return str(choice["type"])


def _max_tokens(chat: Chat, candidate: Candidate, thinks: Thought) -> int:
    """The client's bound, or one of ours, because the vendor wants one."""
    if chat.max_tokens is not None:
        return chat.max_tokens
    longest = candidate.max_output_tokens
    if longest is None and thinks.on and not thinks.budget:
        # Nobody knows how much it thinks; every model that decides so itself can write so much.
        return _MOST_BY_DEFAULT
    if longest is None:
        return max(_DEFAULT_MAX_TOKENS, thinks.budget + _ROOM_TO_ANSWER if thinks.budget else 0)
    return min(longest, max(_MOST_BY_DEFAULT, thinks.budget + _ROOM_TO_ANSWER))


def _add_output(chat: Chat, model: Claude, body: dict[str, Any], thinks: Thought) -> None:
    config: dict[str, Any] = {}
    if thinks.thinking is not None:
        body["thinking"] = thinks.thinking
    if thinks.effort is not None:
        config["effort"] = thinks.effort
    if chat.format is not None and chat.format.schema is not None and model.json_schema:
        config["format"] = {"type": "json_schema", "schema": described(chat.format)}
    if config:
        body["output_config"] = config
