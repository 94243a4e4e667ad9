"""A request as a persona makes it: its prompt first, its parameters, its tools beside the client's own."""

from typing import Any

from understudy_api.config import Prompt
from understudy_proxy.dialects.persona import placed_in_messages

_TWINS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""Two names of one thing: a limit under one name must not be evaded under the other."""
_NOT_A_PARAMETER = frozenset({"messages", "model", "stream", "stream_options", "tools"})
"""Fields that routing and the prompt itself are about."""


def applied(prompt: Prompt, body: dict[str, Any]) -> dict[str, Any]:
    """A new body; `body` stays as it is."""
    changed = dict(body)
    for name, value in prompt.defaults.items():
        if name not in _NOT_A_PARAMETER and changed.get(name) is None and changed.get(_TWINS.get(name, "")) is None:
            changed[name] = value
    for name, value in prompt.overrides.items():
        if name not in _NOT_A_PARAMETER:
            _override(changed, name, value)
    if prompt.system:
        changed["messages"] = placed_in_messages(prompt, body["messages"])
    if prompt.tools:
        changed["tools"] = _tools(prompt, body.get("tools") or [])
    return changed


def _override(body: dict[str, Any], name: str, value: Any) -> None:
    """Set a field whatever it was; null takes it out."""
    twin = _TWINS.get(name)
    if twin is not None and body.pop(twin, None) is not None:
        # The client knows by which of the two names this model takes it.
        body.pop(name, None)
        name = twin
    if value is None:
        body.pop(name, None)
    else:
        body[name] = value


def _tools(prompt: Prompt, own: list[Any]) -> list[Any]:
    """Both; where a name is taken twice the persona's declaration holds."""
    names = {_name(tool) for tool in prompt.tools}
    return [*(tool for tool in own if _name(tool) not in names), *prompt.tools]


def _name(tool: Any) -> Any:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else id(tool)
