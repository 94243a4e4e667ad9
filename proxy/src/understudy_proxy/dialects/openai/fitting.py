"""A client's body made fit for a provider that would refuse it as it is, though it speaks the same dialect.

That is Mistral's: ids of nine letters and digits, its own word for a tool that must be called, and no field that it
does not know.
"""

import re
from hashlib import sha256
from typing import Any

from understudy_proxy.dialects.openai.quirks import Quirks

_ID = re.compile(r"[A-Za-z0-9]{9}")
_ID_CHARACTERS = 9


def short_id(call_id: str) -> str:
    """The id of a call, or what stands for it where the provider would refuse it, the same everywhere."""
    return call_id if _ID.fullmatch(call_id) else sha256(call_id.encode(errors="replace")).hexdigest()[:_ID_CHARACTERS]


def fitted(body: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    """A body that the provider takes; `body` stays as it is."""
    fit = {name: value for name, value in body.items() if name not in quirks.refuses}
    if quirks.short_ids and type(messages := fit.get("messages")) is list:
        fit["messages"] = [_message(message) for message in messages]
    choice = fit.get("tool_choice")
    if choice == "required":
        fit["tool_choice"] = quirks.required
    elif not quirks.names_tools and (name := _named(choice)) is not None:
        fit["tool_choice"] = quirks.required
        fit["tools"] = [tool for tool in fit.get("tools") or () if _named(tool) == name]
    return fit


def _named(value: Any) -> Any:
    """The function that a tool declares, or that a choice of a tool names."""
    function = value.get("function") if type(value) is dict else None
    return function.get("name") if type(function) is dict else None


def _message(message: Any) -> Any:
    if type(message) is not dict:
        return message
    changed = _with_id(message, "tool_call_id")
    calls = changed.get("tool_calls")
    if type(calls) is list:
        changed = changed | {"tool_calls": [_with_id(call, "id") for call in calls]}
    return changed


def _with_id(holder: Any, name: str) -> Any:
    value = holder.get(name) if type(holder) is dict else None
    return holder | {name: short_id(value)} if type(value) is str else holder
