"""A request of Google's own format as a persona makes it, for a provider of that format.

What a persona says is in OpenAI's words; what changes by it is put into the client's request, and the rest of that
stays as it was written.
"""

from typing import Any

from understudy_api.config import Prompt
from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat
from understudy_proxy.dialects.gemini.chat import read_tool_choice
from understudy_proxy.dialects.gemini.config import generation_config
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.generations import Generation, generation_of
from understudy_proxy.dialects.gemini.messages import Fields, camel, field_of
from understudy_proxy.dialects.gemini.settings import read_settings
from understudy_proxy.dialects.gemini.tools import calling_config, declaration_of
from understudy_proxy.dialects.persona import applied, placed

_FORMAT = frozenset({"responseMimeType", "responseSchema", "responseJsonSchema"})
_GOOGLES_OWN = frozenset({"responseModalities", *_FORMAT})
"""What an answer is made of: the client's business, unless the persona says something about it."""
_NO_NAMES = FunctionNames(())


def with_persona(request: dict[str, Any], prompt: Prompt, *, model: str, warnings: list[str]) -> dict[str, Any]:
    """A new `GenerateContentRequest`; `request` stays as it is.

    Raises:
        RequestError: the request is wrong, or what the persona says.
        Unsupported: Gemini cannot do what the persona says.
    """
    generation = generation_of(model)
    changed = dict(request)
    before = _parameters(request)
    after = applied(prompt, before)
    config = _config(request, before, after, model=model, generation=generation, warnings=warnings)
    if config is not None:
        _put(changed, "generationConfig", config)
    if after.tool_choice is not None and after.tool_choice != before.tool_choice:
        calling = calling_config(after.tool_choice, _NO_NAMES) or {"mode": "AUTO"}
        _put(changed, "toolConfig", {"functionCallingConfig": calling})
    if after.tools:
        _put(changed, "tools", _tools(request, after, generation))
    if prompt.system:
        _put(changed, "systemInstruction", _system(request, prompt))
    return changed


def _parameters(request: dict[str, Any]) -> Chat:
    """The request without its conversation, as far as a persona may change it."""
    given = _object(request, "generationConfig")
    readable = {name: value for name, value in given.items() if camel(name) not in _GOOGLES_OWN}
    settings = read_settings(Fields(readable, "generationConfig"))
    has_format = any(camel(name) in _FORMAT for name in given)
    return Chat(
        model="",
        messages=(),
        tool_choice=read_tool_choice(Fields({"toolConfig": field_of(request, "toolConfig")})),
        sampling=settings.sampling,
        max_tokens=settings.max_tokens,
        choices=settings.choices,
        format=JsonFormat() if has_format else None,
        reasoning=settings.reasoning,
    )


def _config(
    request: dict[str, Any], before: Chat, after: Chat, *, model: str, generation: Generation, warnings: list[str]
) -> dict[str, Any] | None:
    """The `generationConfig` with what changed; None when nothing did."""
    old = generation_config(before, model=model, generation=generation, warnings=[])
    new = generation_config(after, model=model, generation=generation, warnings=warnings)
    changes = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if before.format != after.format:
        changes |= _FORMAT
    if not changes:
        return None
    kept = {name: value for name, value in _object(request, "generationConfig").items() if camel(name) not in changes}
    return kept | {name: value for name, value in new.items() if name in changes}


def _tools(request: dict[str, Any], after: Chat, generation: Generation) -> list[Any]:
    """Both; where a name is taken twice the persona's declaration holds."""
    names = [tool.name for tool in after.tools]
    declared = [declaration_of(tool, names=_NO_NAMES, generation=generation) for tool in after.tools]
    given = field_of(request, "tools") or []
    own = [_without(tool, names) for tool in (given if isinstance(given, list) else [given])]
    return [*(tool for tool in own if tool), {"functionDeclarations": declared}]


def _without(tool: Any, names: list[str]) -> Any:
    """A tool of the client's without the functions of these names; empty when nothing is left of it."""
    declared = field_of(tool, "functionDeclarations") if isinstance(tool, dict) else None
    if not isinstance(declared, list):
        return tool
    kept = [function for function in declared if not (isinstance(function, dict) and function.get("name") in names)]
    rest = {name: value for name, value in tool.items() if camel(name) != "functionDeclarations"}
    return rest | {"functionDeclarations": kept} if kept else rest


def _system(request: dict[str, Any], prompt: Prompt) -> dict[str, Any]:
    given = _object(request, "systemInstruction")
    parts = given.get("parts") or []
    own = parts if isinstance(parts, list) else [parts]
    return {**given, "parts": placed(prompt, {"text": prompt.system}, own)}


def _object(request: dict[str, Any], name: str) -> dict[str, Any]:
    value = field_of(request, name)
    return value if isinstance(value, dict) else {}


def _put(request: dict[str, Any], name: str, value: Any) -> None:
    """Set a field, however the client spelled it."""
    for given in [given for given in request if camel(given) == name]:
        del request[given]
    request[name] = value
