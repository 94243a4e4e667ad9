"""A client's request in canonical form."""

from typing import Any

from understudy_proxy.dialects.anthropic.fields import number, objects, optional, required, strings, wrong
from understudy_proxy.dialects.anthropic.names import BETA_HEADER
from understudy_proxy.dialects.anthropic.request import MessagesRequest
from understudy_proxy.dialects.anthropic.turns import Turns, cache_mark
from understudy_proxy.dialects.canonical.chat import (
    Chat,
    Effort,
    JsonFormat,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from understudy_proxy.dialects.request_error import Unsupported

_HERE = frozenset(
    """model messages max_tokens system stop_sequences stream temperature top_p top_k tools tool_choice thinking
    output_config metadata service_tier cache_control""".split()  # noqa: SIM905 - a list of words
)
"""Fields that the canonical form has a place for."""
_ONLY_THERE = {
    "container": "keeps containers",
    "context_management": "edits contexts",
    "inference_geo": "lets a request say where it is answered",
    "mcp_servers": "calls MCP servers itself",
}
"""What would change the answer, or where it is made."""
_TIERS = {"standard_only": "default"}
_MODES = {"auto": ToolMode.AUTO, "any": ToolMode.REQUIRED, "tool": ToolMode.REQUIRED, "none": ToolMode.NONE}
_TOOL_FIELDS = frozenset({"name", "description", "input_schema", "strict", "cache_control", "type"})


def read_chat(asked: MessagesRequest) -> Chat:
    """The request for a provider of another dialect.

    Raises:
        RequestError: it is wrong.
        Unsupported: it asks for what only Anthropic has.
    """
    body, turns = asked.body, Turns()
    for name, what in _ONLY_THERE.items():
        if body.get(name):
            raise Unsupported(f"{name!r}: only Anthropic {what}.", param=name)
    if body.get("max_tokens") == 0:
        raise Unsupported("Only Anthropic reads a prompt without an answer, as max_tokens 0 asks.", param="max_tokens")
    turns.add_system(body)
    for place, message in enumerate(body["messages"]):
        turns.add(message, f"messages.{place}.")
    if (mark := cache_mark(body)) is not None:
        turns.mark_end(mark)
    extra = {name: value for name, value in body.items() if name not in _HERE and value is not None} | turns.extra
    if asked.betas is not None:
        extra[BETA_HEADER] = asked.betas
    tools = tuple(_tool(tool, f"tools.{place}.", extra) for place, tool in enumerate(objects(body, "tools")))
    choice, parallel = read_tool_choice(body)
    tier = optional(body, "service_tier", str)
    return Chat(
        model=asked.model,
        messages=turns.messages(),
        system=tuple(turns.system),
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        sampling=_sampling(body),
        max_tokens=optional(body, "max_tokens", int),
        format=_format(body),
        reasoning=_reasoning(body),
        user=optional(optional(body, "metadata", dict) or {}, "user_id", str, at="metadata."),
        service_tier=None if tier is None else _TIERS.get(tier, tier),
        stream=asked.stream,
        extra=extra,
    )


def _tool(tool: dict[str, Any], at: str, extra: dict[str, Any]) -> Tool:
    kind = optional(tool, "type", str, at=at)
    if kind not in {None, "custom"}:
        raise Unsupported(f"Only Anthropic has the tool {kind[:64]!r}.", param="tools")
    for name in tool.keys() - _TOOL_FIELDS:
        extra[f"tools[].{name}"] = True
    return Tool(
        name=required(tool, "name", str, at=at),
        description=optional(tool, "description", str, at=at),
        parameters=required(tool, "input_schema", dict, at=at),
        strict=optional(tool, "strict", bool, at=at),
        cache=cache_mark(tool),
    )


def read_tool_choice(body: dict[str, Any]) -> tuple[ToolChoice | None, bool | None]:
    """Which tools must be called, and whether several at once may be."""
    choice = optional(body, "tool_choice", dict)
    if choice is None:
        return None, None
    kind = required(choice, "type", str, at="tool_choice.")
    mode = _MODES.get(kind)
    if mode is None:
        raise wrong("tool_choice.type", "Input should be 'auto', 'any', 'tool' or 'none'")
    names = (required(choice, "name", str, at="tool_choice."),) if kind == "tool" else ()
    single = optional(choice, "disable_parallel_tool_use", bool, at="tool_choice.")
    return ToolChoice(mode, names), None if single is None else not single


def _sampling(body: dict[str, Any]) -> Sampling:
    return Sampling(
        temperature=number(body, "temperature"),
        top_p=number(body, "top_p"),
        top_k=optional(body, "top_k", int),
        stop=strings(body, "stop_sequences"),
    )


def _format(body: dict[str, Any]) -> JsonFormat | None:
    config = optional(body, "output_config", dict) or {}
    wanted = optional(config, "format", dict, at="output_config.")
    if wanted is None:
        return None
    if wanted.get("type") != "json_schema":
        raise wrong("output_config.format.type", "Input should be 'json_schema'")
    return JsonFormat(required(wanted, "schema", dict, at="output_config.format."))


def _reasoning(body: dict[str, Any]) -> Reasoning | None:
    """What both fields say: `thinking`, and how hard by `output_config`."""
    effort = _effort(body)
    thinking = optional(body, "thinking", dict)
    if thinking is None:
        return None if effort is None else Reasoning(effort)
    kind, display = (
        required(thinking, "type", str, at="thinking."),
        optional(thinking, "display", str, at="thinking."),
    )
    visible = None if display is None else display != "omitted"
    match kind:
        case "disabled":
            return Reasoning(budget_tokens=0)
        case "enabled":
            budget = required(thinking, "budget_tokens", int, at="thinking.")
            # Before there was a word for it, thinking was always shown.
            return Reasoning(effort, budget, visible is not False)
        case "adaptive" | "between_tools":
            return Reasoning(effort, visible=visible)
        case _:
            raise wrong("thinking.type", "Input should be 'enabled', 'adaptive', 'disabled' or 'between_tools'")


def _effort(body: dict[str, Any]) -> Effort | None:
    config = optional(body, "output_config", dict) or {}
    effort = optional(config, "effort", str, at="output_config.")
    if effort is None:
        return None
    try:
        return Effort(effort)
    except ValueError:
        raise wrong("output_config.effort", "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'") from None
