"""Reading the bodies of Anthropic's Messages API: what a body asks for, or a refusal in the vendor's words.

Fields that change nothing here (metadata, service tier and the like) are let through unread; unknown ones are refused,
as the vendor does. What messages may hold, and in which order, is in `anthropic_blocks` and `anthropic_order`.
"""

import re
from collections.abc import Mapping
from typing import Any

from understudy.mock.asks import Call, Chat, Operation, Spoke, Tool, rounds_in
from understudy.mock.dialects.anthropic_blocks import Turn, check_cache_marks, read_texts, read_turns
from understudy.mock.dialects.anthropic_order import check_order, check_thinking_kept
from understudy.mock.dialects.fields import as_object, objects, only, optional, required, texts, within, wrong
from understudy.mock.failures import bad_request
from understudy.mock.replies import tokens_in

NEWER_VERSION = "2026-10-21"
"""The version of the API from which on sampling is no longer the caller's."""
VERSIONS = frozenset({"2023-06-01", NEWER_VERSION})

_SAMPLING = ("temperature", "top_p", "top_k")
_KNOWN = frozenset(
    """model max_tokens messages system stop_sequences stream temperature top_p top_k tools tool_choice thinking
    output_config metadata service_tier cache_control container inference_geo speed diagnostics user_profile_id
    context_management mcp_servers betas""".split()  # noqa: SIM905 - a list of words
)
# https://platform.claude.com/docs/en/api/messages-count-tokens
_NOT_COUNTED = frozenset({"max_tokens", "stream", "stop_sequences", "metadata", "service_tier", *_SAMPLING})
_MOST_TOKENS = 2**31
_LEAST_BUDGET = 1024
_TOOL = frozenset(
    """type name description input_schema strict cache_control defer_loading allowed_callers input_examples
    eager_input_streaming""".split()  # noqa: SIM905 - a list of words
)
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
# A tool that the vendor runs, or whose arguments it defines, has a dated type.
_SERVER_TOOL = re.compile(r"[a-z_]+_20[0-9]{6}")
_CHOICES = frozenset({"auto", "any", "none", "tool"})
_THINKING = frozenset({"enabled", "adaptive", "disabled", "between_tools"})
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
# What the format adds to the texts, an estimate.
_TOKENS_A_TURN = 4
_TOKENS_TO_BEGIN = 3


def read_messages(call: Call, content: Any) -> Chat:
    """Read the body of `POST /v1/messages` or of `…/count_tokens`; `call.variant` is the API version."""
    body = as_object(content)
    counting = call.operation is Operation.COUNT
    newer = call.variant == NEWER_VERSION
    _check_names(body, counting=counting, newer=newer)
    longest = None if counting else required(body, "max_tokens", int)
    if longest is not None and longest < 0:
        raise wrong("max_tokens", "Input should be greater than or equal to 0")
    turns = read_turns(body, newer=newer)
    check_order(turns)
    tools = _tools(body)
    forced = _forced(body, tools)
    _check_sampling(body)
    _check_thinking(body, turns, forced=forced, longest=longest)
    check_cache_marks(body)
    system = read_texts(body, "system")
    return Chat(
        model=required(body, "model", str) or _no_model(),
        said=next((turn.text for turn in reversed(turns) if turn.role == "user" and turn.text), ""),
        tool_result=turns[-1].results_text if not turns[-1].text else None,
        rounds=rounds_in(_spoke(turn) for turn in turns),
        media=tuple(one for turn in turns for one in turn.media),
        prompt_tokens=_TOKENS_TO_BEGIN
        + tokens_in(system)
        + sum(_TOKENS_A_TURN + tokens_in(turn.all_text) for turn in turns),
        stream=bool(optional(body, "stream", bool)),
        stream_usage=True,
        max_tokens=longest,
        stop=_stop(body),
        tools=_allowed(body, tools),
        calls=forced,
        parallel=not (as_object(body.get("tool_choice") or {}).get("disable_parallel_tool_use")),
        schema=_schema(body),
        variant=call.variant,
    )


def _spoke(turn: Turn) -> Spoke:
    if turn.role == "user" and turn.text:
        return Spoke.USER
    return Spoke.TOOLS if turn.results else Spoke.OTHER


def _no_model() -> str:
    raise wrong("model", "String should have at least 1 character")


def _check_names(body: Mapping[str, Any], *, counting: bool, newer: bool) -> None:
    """Refuse what the API does not know: here by name alone, whatever the value."""
    refused = (_NOT_COUNTED if counting else frozenset()) | (frozenset(_SAMPLING) if newer else frozenset())
    only(body, _KNOWN - refused)


def _check_sampling(body: Mapping[str, Any]) -> None:
    temperature = within(body, "temperature", least=0, most=1)
    within(body, "top_p", least=0, most=1)
    within(body, "top_k", least=0, most=_MOST_TOKENS)
    if temperature not in {None, 1} and _thinks(body):
        raise bad_request("`temperature` may only be set to 1 when thinking is enabled.", param="temperature")


def _thinks(body: Mapping[str, Any]) -> bool:
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in {"enabled", "adaptive"}


def _check_thinking(
    body: Mapping[str, Any], turns: list[Turn], *, forced: tuple[Tool, ...], longest: int | None
) -> None:
    thinking = optional(body, "thinking", dict)
    if thinking is None:
        return
    kind = required(thinking, "type", str, at="thinking.")
    if kind not in _THINKING:
        raise wrong("thinking.type", f"Input should be one of {', '.join(sorted(_THINKING))}")
    if forced and _thinks(body):
        raise bad_request("Thinking may not be enabled when tool_choice forces tool use.", param="tool_choice")
    if kind != "enabled":
        return
    budget = required(thinking, "budget_tokens", int, at="thinking.enabled.")
    if budget < _LEAST_BUDGET:
        raise wrong("thinking.enabled.budget_tokens", f"Input should be greater than or equal to {_LEAST_BUDGET}")
    if longest is not None and longest <= budget:
        raise bad_request("`max_tokens` must be greater than `thinking.budget_tokens`.", param="max_tokens")
    check_thinking_kept(turns)


def _stop(body: Mapping[str, Any]) -> tuple[str, ...]:
    stop = texts(body, "stop_sequences")
    if not all(one.strip() for one in stop):
        raise wrong("stop_sequences", "each stop sequence must contain non-whitespace")
    return stop


def _tools(body: Mapping[str, Any]) -> list[Tool]:
    """Return the caller's own tools; those that the vendor runs itself are nothing a mock would call."""
    tools: list[Tool] = []
    for place, tool in enumerate(objects(body, "tools")):
        kind = optional(tool, "type", str, at=f"tools.{place}.") or "custom"
        if _SERVER_TOOL.fullmatch(kind):
            continue
        if kind != "custom":
            raise wrong(f"tools.{place}", f"Input tag '{kind}' does not match any of the expected tags")
        at = f"tools.{place}.custom."
        only(tool, _TOOL, at=at)
        name = required(tool, "name", str, at=at)
        if not _TOOL_NAME.fullmatch(name):
            raise wrong(f"{at}name", f"String should match pattern '^{_TOOL_NAME.pattern}$'")
        schema = required(tool, "input_schema", dict, at=at)
        if schema.get("type") != "object":
            raise wrong(f"{at}input_schema.type", "Input should be 'object'")
        if any(name == known.name for known in tools):
            raise bad_request("tools: Tool names must be unique.", param="tools")
        tools.append(Tool(name, schema))
    return tools


def _choice(body: Mapping[str, Any], tools: list[Tool]) -> tuple[str, str]:
    """Return the type of the choice, and the tool it names."""
    choice = optional(body, "tool_choice", dict)
    if choice is None:
        return "auto", ""
    kind = required(choice, "type", str, at="tool_choice.")
    if kind not in _CHOICES:
        raise wrong("tool_choice.type", f"Input should be one of {', '.join(sorted(_CHOICES))}")
    if not body.get("tools"):
        raise bad_request("tool_choice may only be specified while providing tools.", param="tool_choice")
    if kind == "none" and "disable_parallel_tool_use" in choice:
        raise wrong("tool_choice.none.disable_parallel_tool_use", "Extra inputs are not permitted")
    name = required(choice, "name", str, at="tool_choice.tool.") if kind == "tool" else ""
    if kind == "tool" and all(name != tool.name for tool in tools):
        raise bad_request(f"Tool '{name}' not found in provided tools", param="tool_choice.tool.name")
    return kind, name


def _forced(body: Mapping[str, Any], tools: list[Tool]) -> tuple[Tool, ...]:
    """Return the tool that has to be called: the one named, or the first if any has to be."""
    kind, _ = _choice(body, tools)
    return _allowed(body, tools)[:1] if kind in {"any", "tool"} else ()


def _allowed(body: Mapping[str, Any], tools: list[Tool]) -> tuple[Tool, ...]:
    kind, name = _choice(body, tools)
    return tuple(tool for tool in tools if kind != "none" and (kind != "tool" or tool.name == name))


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    config = optional(body, "output_config", dict) or {}
    effort = optional(config, "effort", str, at="output_config.")
    if effort is not None and effort not in _EFFORTS:
        raise wrong("output_config.effort", f"Input should be one of {', '.join(sorted(_EFFORTS))}")
    wanted = optional(config, "format", dict, at="output_config.")
    if wanted is None:
        return None
    if wanted.get("type") != "json_schema":
        raise wrong("output_config.format.type", "Input should be 'json_schema'")
    return required(wanted, "schema", dict, at="output_config.format.")
