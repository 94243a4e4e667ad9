"""What a translated request says about the answer: tools, their choice, a JSON Schema, how tokens are drawn."""

import re
from typing import Any

from understudy_proxy.dialects.anthropic.blocks import Block, Blocks
from understudy_proxy.dialects.anthropic.names import cache_control
from understudy_proxy.dialects.canonical.chat import Chat, Sampling, Tool, ToolMode
from understudy_proxy.dialects.claude.json_tool import choice_of, offered, with_type
from understudy_proxy.dialects.claude.models import Claude
from understudy_proxy.dialects.claude.sampling import drawn
from understudy_proxy.dialects.request_error import RequestError, Unsupported

_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
_CHOICES = {ToolMode.AUTO: "auto", ToolMode.NONE: "none", ToolMode.REQUIRED: "any"}
_TIERS = {"auto": "auto", "default": "standard_only"}
_PERSONAL = re.compile(r".*@.*|\+[\d\s()./-]{6,}")
"""What looks like an address or a telephone number, which the vendor forbids as a user id."""


def tools(chat: Chat, model: Claude, blocks: Blocks, *, for_json: bool) -> list[Block]:
    """The tools that may be called; with `for_json` among them one that takes the answer."""
    return [_tool(tool, model, blocks) for tool in offered(chat, for_json=for_json)]


def _tool(tool: Tool, model: Claude, blocks: Blocks) -> Block:
    block: Block = {"name": blocks.names.given(tool.name)}
    if tool.description:
        block["description"] = tool.description
    block["input_schema"] = with_type(tool.parameters) if tool.parameters else _NO_ARGUMENTS
    if tool.strict:
        if model.json_schema:
            block["strict"] = True
        else:
            blocks.warn("Tools are not 'strict' with this model: it follows their schemas without a guarantee.")
    if tool.cache is not None:
        block["cache_control"] = cache_control(tool.cache)
    return block


def tool_choice(chat: Chat, blocks: Blocks, *, any_offered: bool, for_json: bool) -> Block | None:
    """Whether tools must be called; None leaves it to the model.

    Raises:
        RequestError: a tool must be called, and there is none.
    """
    choice = choice_of(chat, for_json=for_json)
    if not any_offered:
        if choice.mode is ToolMode.REQUIRED:
            raise RequestError("A tool must be called, but the request has none to call.", param="tool_choice")
        return None
    said: Block = {"type": _CHOICES[choice.mode]}
    if choice.mode is ToolMode.REQUIRED and len(choice.names) == 1:
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
    said: Block = dict(drawn(wanted, model, thinks=thinks, warn=blocks.warn))
    stop = [text for text in wanted.stop if text.strip()]
    if len(stop) < len(wanted.stop):
        blocks.warn("Stop sequences of white space alone were left out: Anthropic takes none.")
    if stop:
        said["stop_sequences"] = stop
    return said


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
