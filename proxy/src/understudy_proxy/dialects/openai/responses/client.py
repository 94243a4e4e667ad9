"""The client side of OpenAI's responses. Nobody is asked in this dialect, so nothing passes through."""

from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.openai.client import read_chat
from understudy_proxy.dialects.openai.responses.events import ResponseEncoder
from understudy_proxy.dialects.openai.responses.request import ResponseRequest
from understudy_proxy.dialects.openai.responses.response import render
from understudy_proxy.dialects.sse import CONTENT_TYPE

CLIENT: ChatClient[ResponseRequest] = ChatClient(
    stream_type=CONTENT_TYPE,
    chat=read_chat,
    answer=render,
    encoder=ResponseEncoder,
    passing={},
)
