"""A conversation as a persona makes it: its prompt first, its parameters, its tools beside the client's own.

A persona's parameters and tools are written in OpenAI's words, whatever dialects the client and the provider speak.
"""

from dataclasses import replace

from understudy_api.config import Prompt
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Text
from understudy_proxy.dialects.parameters import NO_PARAMETERS, is_given, with_parameter
from understudy_proxy.dialects.tools import read_tools


def applied(prompt: Prompt, chat: Chat) -> Chat:
    """The conversation with what `prompt` adds: defaults where the client says nothing, overrides whatever it says.

    An override with null takes the parameter out.

    Raises:
        RequestError: a parameter of the persona is nothing that it may be.
        Unsupported: a parameter or tool of the persona is for providers of OpenAI's dialect alone.
    """
    for name, value in prompt.defaults.items():
        if name not in NO_PARAMETERS and value is not None and not is_given(chat, name):
            chat = with_parameter(chat, name, value)
    for name, value in prompt.overrides.items():
        if name not in NO_PARAMETERS:
            chat = with_parameter(chat, name, value)
    if prompt.system:
        chat = replace(chat, system=(Text(prompt.system), *chat.system))
    if prompt.tools:
        declared = read_tools(list(prompt.tools))
        names = {tool.name for tool in declared}
        chat = replace(chat, tools=(*(tool for tool in chat.tools if tool.name not in names), *declared))
    return chat
