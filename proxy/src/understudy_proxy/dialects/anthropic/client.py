"""Clients of Anthropic's Messages API."""

import orjson

from understudy_api.config import Dialect
from understudy_proxy.dialects.anthropic.conversation import read_chat
from understudy_proxy.dialects.anthropic.encoder import MessageEncoder
from understudy_proxy.dialects.anthropic.message import render
from understudy_proxy.dialects.anthropic.passing import PassedCount, PassedMessage
from understudy_proxy.dialects.anthropic.request import MessagesRequest
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.counting import CountClient
from understudy_proxy.dialects.sse import CONTENT_TYPE

CLIENT: ChatClient[MessagesRequest] = ChatClient(
    stream_type=CONTENT_TYPE,
    chat=read_chat,
    answer=render,
    encoder=MessageEncoder.of,
    passing={Dialect.ANTHROPIC: PassedMessage},
)


def _count(tokens: int) -> bytes:
    return orjson.dumps({"input_tokens": tokens})


COUNT: CountClient[MessagesRequest] = CountClient(
    chat=read_chat, answer=_count, passing={Dialect.ANTHROPIC: PassedCount}
)
