"""A conversation as a persona makes it: its prompt first, its parameters, its tools beside the client's own.

A persona's parameters and tools are written in OpenAI's words, whatever dialects the client and the provider speak.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, TypeVar

from understudy_api.config import Prompt, PromptPosition
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Text
from understudy_proxy.dialects.parameters import NO_PARAMETERS, is_given, with_parameter
from understudy_proxy.dialects.prompts import written
from understudy_proxy.dialects.tools import read_tools

Part = TypeVar("Part")
_SYSTEM = frozenset({"system", "developer"})


def applied(prompt: Prompt, chat: Chat) -> Chat:
    """The conversation with what `prompt` adds: defaults where the client says nothing, overrides whatever it says.

    An override with null takes the parameter out.

    Raises:
        RequestError: a parameter of the persona is nothing that it may be, or its prompt becomes too long.
        Unsupported: a parameter or tool of the persona is for providers of OpenAI's dialect alone.
    """
    for name, value in prompt.defaults.items():
        if name not in NO_PARAMETERS and value is not None and not is_given(chat, name):
            chat = with_parameter(chat, name, value)
    for name, value in prompt.overrides.items():
        if name not in NO_PARAMETERS:
            chat = with_parameter(chat, name, value)
    if system := written(prompt, chat.variables):
        chat = replace(chat, system=tuple(placed(prompt, Text(system), chat.system)))
    if prompt.tools:
        declared = read_tools(list(prompt.tools))
        names = {tool.name for tool in declared}
        chat = replace(chat, tools=(*(tool for tool in chat.tools if tool.name not in names), *declared))
    return chat


def placed(prompt: Prompt, ours: Part, own: Sequence[Part]) -> list[Part]:
    """A persona's words and the client's own system prompt, in the order in which they are said."""
    match prompt.position:
        case PromptPosition.BEFORE:
            return [ours, *own]
        case PromptPosition.AFTER:
            return [*own, ours]
        case PromptPosition.REPLACE:
            return [ours]


def placed_in_messages(prompt: Prompt, messages: Sequence[Any]) -> list[Any]:
    """The messages with a persona's words among them; the client's own prompt are messages of the system's role.

    After them is where they end at the beginning; in their place is in the place of all of them.
    """
    own = list(takewhile(_is_system, messages))
    rest = messages[len(own) :]
    if prompt.position is PromptPosition.REPLACE:
        rest = [message for message in rest if not _is_system(message)]
    return [*placed(prompt, {"role": "system", "content": prompt.system}, own), *rest]


def _is_system(message: Any) -> bool:
    role = message.get("role") if isinstance(message, dict) else None
    return isinstance(role, str) and role in _SYSTEM
