"""A request of Ollama's own format as a persona makes it, for a provider of that format.

What a persona says is in OpenAI's words; what changes by it is put into the client's request, and the rest of that
stays as it was written.
"""

from typing import Any

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat, ToolMode
from understudy_proxy.dialects.fields import string
from understudy_proxy.dialects.ollama.chat import read_parameters
from understudy_proxy.dialects.ollama.encode import declaration_of
from understudy_proxy.dialects.ollama.options import write_options
from understudy_proxy.dialects.ollama.request import OllamaRequest, read_options
from understudy_proxy.dialects.persona import applied, placed, placed_in_messages
from understudy_proxy.dialects.request_error import Unsupported

_SETTINGS = ("format", "think", "logprobs", "top_logprobs")


def with_persona(asked: OllamaRequest, prompt: Prompt, candidate: Candidate, warnings: list[str]) -> dict[str, Any]:
    """A new body; the client's stays as it is.

    Raises:
        RequestError: the request is wrong, or what the persona says.
        Unsupported: Ollama cannot do what the persona says.
    """
    changed = dict(asked.body)
    before = _parameters(asked.body)
    after = applied(prompt, before)
    _set_parameters(changed, before, after, candidate, warnings)
    if after.tools:
        _add_tools(changed, after, asked)
    if after.tool_choice is not None:
        _choose(changed, after.tool_choice.mode)
    if prompt.system:
        _place(changed, prompt, asked)
    return changed


def _parameters(body: dict[str, Any]) -> Chat:
    """The request without its conversation, as far as a persona may change it."""
    read = read_parameters(body)
    return Chat(
        model="",
        messages=(),
        sampling=read.sampling,
        max_tokens=read.max_tokens,
        format=read.format,
        reasoning=read.reasoning,
    )


def _set_parameters(
    changed: dict[str, Any], before: Chat, after: Chat, candidate: Candidate, warnings: list[str]
) -> None:
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    write_options(before, old, candidate, [])
    write_options(after, new, candidate, warnings)
    for name in _SETTINGS:
        if old.get(name) != new.get(name):
            _put(changed, name, new.get(name))
    options = dict(read_options(changed))
    was, now = old.get("options", {}), new.get("options", {})
    for name in was.keys() | now.keys():
        if was.get(name) != now.get(name):
            _put(options, name, now.get(name))
    if options:
        changed["options"] = options


def _add_tools(changed: dict[str, Any], after: Chat, asked: OllamaRequest) -> None:
    """Both; where a name is taken twice the persona's declaration holds."""
    if asked.generate:
        raise Unsupported("This persona has tools, which /api/generate has not; ask at /api/chat.", param="model")
    names = [tool.name for tool in after.tools]
    own = changed.get("tools") or []
    kept = [tool for tool in own if _name(tool) not in names] if isinstance(own, list) else []
    changed["tools"] = [*kept, *(declaration_of(tool) for tool in after.tools)]


def _choose(changed: dict[str, Any], mode: ToolMode) -> None:
    if mode is ToolMode.NONE:
        changed.pop("tools", None)
    elif mode is ToolMode.REQUIRED:
        raise Unsupported("Ollama cannot be told that a tool must be called, as this persona wants.", param="model")


def _place(changed: dict[str, Any], prompt: Prompt, asked: OllamaRequest) -> None:
    if asked.generate:
        own = changed.get("system")
        changed["system"] = "\n\n".join(placed(prompt, prompt.system or "", [string(own, "system")] if own else []))
    else:
        changed["messages"] = placed_in_messages(prompt, changed["messages"])


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value


def _name(tool: Any) -> Any:
    function = tool.get("function") if isinstance(tool, dict) else None
    return function.get("name") if isinstance(function, dict) else None
