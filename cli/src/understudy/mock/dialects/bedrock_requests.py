"""Reading the bodies of Bedrock's Converse and CountTokens: what a body asks for, or a refusal in AWS's words.

Fields that change nothing here (guardrails, performance, metadata) are let through unread.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Spoke, Tool, rounds_in
from understudy.mock.dialects.bedrock_blocks import TOOL_NAME, Turn, read_system, read_turns
from understudy.mock.dialects.bedrock_order import check_order
from understudy.mock.dialects.fields import as_object, objects, optional, required, texts, within, wrong
from understudy.mock.failures import bad_request
from understudy.mock.replies import tokens_in

_MOST_TOKENS = 2**31
_MOST_STOPS = 2500
_CHOICES = ("auto", "any", "tool")
# What the format adds to the texts, an estimate.
_TOKENS_A_TURN = 4
_TOKENS_TO_BEGIN = 3


def read_converse(call: Call, content: Any, *, stream: bool) -> Chat:
    """Read the body of `POST /model/{id}/converse` or of `…/converse-stream`."""
    body = as_object(content)
    turns = read_turns(body)
    check_order(turns, has_tools="toolConfig" in body)
    config = optional(body, "inferenceConfig", dict) or {}
    within(config, "temperature", least=0, most=1, at="inferenceConfig.")
    within(config, "topP", least=0, most=1, at="inferenceConfig.")
    longest = optional(config, "maxTokens", int, at="inferenceConfig.")
    if longest is not None and longest < 1:
        raise wrong("inferenceConfig.maxTokens", "Member must have value greater than or equal to 1")
    stop = texts(config, "stopSequences", at="inferenceConfig.")
    if not all(stop):
        raise wrong("inferenceConfig.stopSequences", "Member must have length greater than or equal to 1")
    tools = _tools(body)
    forced, allowed = _choice(body, tools)
    return Chat(
        model=call.model,
        said=next((turn.text for turn in reversed(turns) if turn.role == "user" and turn.text), ""),
        tool_result=", ".join(turns[-1].results.values()) if turns[-1].results and not turns[-1].text else None,
        rounds=rounds_in(_spoke(turn) for turn in turns),
        media=tuple(one for turn in turns for one in turn.media),
        prompt_tokens=_size(turns, read_system(body)),
        stream=stream,
        stream_usage=True,
        max_tokens=longest,
        stop=stop,
        tools=allowed,
        calls=forced,
        schema=_schema(body),
        variant=call.variant,
    )


def _spoke(turn: Turn) -> Spoke:
    if turn.role == "user" and turn.text:
        return Spoke.USER
    return Spoke.TOOLS if turn.results else Spoke.OTHER


def read_counted(call: Call, content: Any) -> Chat:
    """Read the body of `POST /model/{id}/count-tokens`, which holds that of the request to count."""
    given = required(as_object(content), "input", dict)
    if "converse" in given:
        return read_converse(call, given["converse"], stream=False)
    invoked = required(given, "invokeModel", dict, at="input.")
    body = required(invoked, "body", str, at="input.invokeModel.")
    return Chat(model=call.model, prompt_tokens=tokens_in(body))


def _size(turns: list[Turn], system: str) -> int:
    said = ("\n".join([*turn.texts, *turn.results.values()]) for turn in turns)
    return _TOKENS_TO_BEGIN + tokens_in(system) + sum(_TOKENS_A_TURN + tokens_in(text) for text in said)


def _tools(body: Mapping[str, Any]) -> list[Tool]:
    config = optional(body, "toolConfig", dict)
    if config is None:
        return []
    given = objects(config, "tools", at="toolConfig.")
    if not given:
        raise wrong("toolConfig.tools", "Member must have length greater than or equal to 1")
    tools: list[Tool] = []
    for place, entry in enumerate(given):
        if "cachePoint" in entry or "systemTool" in entry:
            continue
        at = f"toolConfig.tools.{place}.toolSpec."
        spec = required(entry, "toolSpec", dict, at=f"toolConfig.tools.{place}.")
        name = required(spec, "name", str, at=at)
        if not TOOL_NAME.fullmatch(name):
            raise wrong(f"{at}name", f"Member must satisfy regular expression pattern: {TOOL_NAME.pattern}")
        if optional(spec, "description", str, at=at) == "":
            raise wrong(f"{at}description", "Member must have length greater than or equal to 1")
        schema = required(required(spec, "inputSchema", dict, at=at), "json", dict, at=f"{at}inputSchema.")
        if schema.get("type") != "object":
            raise bad_request(f"The value at {at}inputSchema.json.type must be one of the following: object.", param=at)
        if any(name == known.name for known in tools):
            raise bad_request(f"The tools at toolConfig.tools contain the name {name} more than once.", param=at)
        tools.append(Tool(name, schema))
    return tools


def _choice(body: Mapping[str, Any], tools: list[Tool]) -> tuple[tuple[Tool, ...], tuple[Tool, ...]]:
    """Return the tool that has to be called, and those that may be."""
    choice = optional(as_object(body.get("toolConfig") or {}), "toolChoice", dict, at="toolConfig.")
    if choice is None:
        return (), tuple(tools)
    kinds = [kind for kind in _CHOICES if isinstance(choice.get(kind), dict)]
    if len(choice) != 1 or len(kinds) != 1:
        raise wrong("toolConfig.toolChoice", f"exactly one of {', '.join(_CHOICES)} has to be set, to an object")
    if kinds == ["auto"]:
        return (), tuple(tools)
    if kinds == ["any"]:
        return tuple(tools[:1]), tuple(tools)
    name = required(choice["tool"], "name", str, at="toolConfig.toolChoice.tool.")
    named = tuple(tool for tool in tools if tool.name == name)
    if not named:
        raise wrong("toolConfig.toolChoice.tool.name", f"{name} is none of the tools")
    return named, named


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    config = optional(body, "outputConfig", dict) or {}
    wanted = optional(config, "textFormat", dict, at="outputConfig.")
    if wanted is None:
        return None
    at = "outputConfig.textFormat."
    if wanted.get("type") != "json_schema":
        raise wrong(f"{at}type", "Member must satisfy enum value set: [json_schema]")
    described = required(required(wanted, "structure", dict, at=at), "jsonSchema", dict, at=f"{at}structure.")
    text = required(described, "schema", str, at=f"{at}structure.jsonSchema.")
    try:
        return as_object(orjson.loads(text), at=f"{at}structure.jsonSchema.schema")
    except orjson.JSONDecodeError as error:
        raise wrong(f"{at}structure.jsonSchema.schema", f"no JSON: {error}") from error
