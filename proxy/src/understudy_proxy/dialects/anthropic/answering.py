"""What a translated request says about the answer: tools, their choice, a JSON Schema, how tokens are drawn."""

import re
from typing import Any

from understudy_proxy.dialects.anthropic.blocks import Block, Blocks
from understudy_proxy.dialects.anthropic.names import cache_control
from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat, Sampling, Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.claude import Claude
from understudy_proxy.dialects.request_error import RequestError, Unsupported

JSON_TOOL = "json_tool_call"
"""Called in the place of an answer to a JSON Schema by models that know tools only."""
_JSON_TOOL_DESCRIPTION = "Give the answer to the user by calling this tool, with the answer as its arguments."
_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
_CHOICES = {ToolMode.AUTO: "auto", ToolMode.NONE: "none", ToolMode.REQUIRED: "any"}
_TIERS = {"auto": "auto", "default": "standard_only"}
_PERSONAL = re.compile(r".*@.*|\+[\d\s()./-]{6,}")
"""What looks like an address or a telephone number, which the vendor forbids as a user id."""


def tools(chat: Chat, model: Claude, blocks: Blocks) -> list[Block]:
    """The tools that may be called."""
    allowed = chat.tool_choice.names if chat.tool_choice is not None else ()
    return [_tool(tool, model, blocks) for tool in chat.tools if not allowed or tool.name in allowed]


def _tool(tool: Tool, model: Claude, blocks: Blocks) -> Block:
    block: Block = {"name": blocks.names.given(tool.name)}
    if tool.description:
        block["description"] = tool.description
    block["input_schema"] = {"type": "object", **tool.parameters} if tool.parameters else _NO_ARGUMENTS
    if tool.strict:
        if model.json_schema:
            block["strict"] = True
        else:
            blocks.warn("Tools are not 'strict' with this model: it follows their schemas without a guarantee.")
    if tool.cache is not None:
        block["cache_control"] = cache_control(tool.cache)
    return block


def json_tool(wanted: JsonFormat) -> Block:
    """The tool that stands for an answer to a JSON Schema."""
    description = f"{wanted.description}\n\n{_JSON_TOOL_DESCRIPTION}" if wanted.description else _JSON_TOOL_DESCRIPTION
    return {"name": JSON_TOOL, "description": description, "input_schema": {"type": "object", **(wanted.schema or {})}}


def tool_choice(chat: Chat, blocks: Blocks, *, offered: bool, for_json: bool) -> Block | None:
    """Whether tools must be called; None leaves it to the model.

    Raises:
        RequestError: a tool must be called, and there is none.
    """
    choice = chat.tool_choice or ToolChoice(ToolMode.AUTO)
    if not offered:
        if choice.mode is ToolMode.REQUIRED:
            raise RequestError("A tool must be called, but the request has none to call.", param="tool_choice")
        return None
    said: Block = {"type": _CHOICES[choice.mode]}
    if for_json and choice.mode is not ToolMode.REQUIRED:
        own = chat.tools and choice.mode is not ToolMode.NONE
        said = {"type": "any"} if own else {"type": "tool", "name": JSON_TOOL}
    elif choice.mode is ToolMode.REQUIRED and len(choice.names) == 1:
        said = {"type": "tool", "name": blocks.names.given(choice.names[0])}
    if chat.parallel_tool_calls is False and said["type"] != "none":
        said["disable_parallel_tool_use"] = True
    return None if said == {"type": "auto"} else said


def sampling(wanted: Sampling, model: Claude, blocks: Blocks, *, thinks: bool) -> Block:
    """How tokens are drawn, as far as the model lets anybody say.

    Raises:
        Unsupported: probabilities of tokens are wanted.
    """
    if wanted.logprobs or wanted.top_logprobs is not None:
        raise Unsupported("Anthropic's models give no probabilities of tokens.", param="logprobs")
    for name in ("frequency_penalty", "presence_penalty", "seed", "logit_bias"):
        if getattr(wanted, name) is not None:
            blocks.warn(f"'{name}' was left out: Anthropic has no such parameter.")
    said = _drawn(wanted, model, blocks, thinks=thinks)
    stop = [text for text in wanted.stop if text.strip()]
    if len(stop) < len(wanted.stop):
        blocks.warn("Stop sequences of white space alone were left out: Anthropic takes none.")
    if stop:
        said["stop_sequences"] = stop
    return said


def _drawn(wanted: Sampling, model: Claude, blocks: Blocks, *, thinks: bool) -> Block:
    given = {name: value for name in ("temperature", "top_p", "top_k") if (value := getattr(wanted, name)) is not None}
    if given and not model.sampling:
        blocks.warn(f"{_listed(given)} left out: this model takes no sampling parameters.")
        return {}
    if thinks and given:
        # https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
        blocks.warn(f"{_listed(given)} left out: they cannot be combined with reasoning.")
        return {}
    if not model.temperature_with_top_p and "temperature" in given and given.pop("top_p", None) is not None:
        blocks.warn("'top_p' was left out: this model takes it or 'temperature', not both.")
    if given.get("temperature", 0) > 1:
        blocks.warn("'temperature' was lowered to 1, Anthropic's highest.")
        given["temperature"] = 1
    return given


def _listed(given: Block) -> str:
    names = " and ".join(f"'{name}'" for name in given)
    return f"{names} {'was' if len(given) == 1 else 'were'}"


def service(chat: Chat, blocks: Blocks) -> Block:
    """For whom, and how soon."""
    said: Block = {}
    if chat.user is not None:
        if _PERSONAL.fullmatch(chat.user):
            blocks.warn("'user' was left out: Anthropic takes no addresses or telephone numbers as ids of users.")
        else:
            said["metadata"] = {"user_id": chat.user}
    if chat.service_tier is not None:
        tier = _TIERS.get(chat.service_tier)
        if tier is None:
            blocks.warn(
                f"The service tier {chat.service_tier[:64]!r} was left out: Anthropic has 'auto' and 'default'."
            )
        else:
            said["service_tier"] = tier
    return said
