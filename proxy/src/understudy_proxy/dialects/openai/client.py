"""The client side of OpenAI's chat completions."""

from understudy_api.config import Dialect
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.openai.chunks import ChunkEncoder
from understudy_proxy.dialects.openai.completion import render
from understudy_proxy.dialects.openai.conversation import read_messages
from understudy_proxy.dialects.openai.passing import PassedChat
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.dialects.parameters import read_parameters
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.sse import CONTENT_TYPE
from understudy_proxy.dialects.tools import read_functions, read_tools

_TEXT_ALONE = ["text"]
_ONLY_HERE = frozenset({"audio", "modalities", "web_search_options"})
"""What changes the answer, and what the canonical form has no place for."""


def read_chat(asked: ChatRequest) -> Chat:
    """The request in canonical form.

    Raises:
        RequestError: it is wrong.
        Unsupported: it asks for what only providers of this dialect can give.
    """
    body = asked.body
    conversation = read_messages(body.get("messages"), goes_on=asked.goes_on)
    parameters = read_parameters(body)
    extra = parameters.extra | conversation.extra
    if extra.get("modalities") == _TEXT_ALONE:
        del extra["modalities"]
    for name in extra.keys() & _ONLY_HERE:
        raise Unsupported(f"Only providers of OpenAI's dialect take {name!r}.", param=name)
    tools = body.get("tools")
    functions = body.get("functions")
    return Chat(
        model=asked.model,
        messages=conversation.turns(),
        system=tuple(conversation.system),
        tools=read_tools(tools) if tools else read_functions(functions) if functions else (),
        sampling=parameters.sampling,
        stream=asked.stream,
        extra=extra,
        **parameters.chat,
    )


CLIENT: ChatClient[ChatRequest] = ChatClient(
    stream_type=CONTENT_TYPE,
    chat=read_chat,
    answer=render,
    encoder=ChunkEncoder.of,
    passing={Dialect.OPENAI: PassedChat},
)
