"""Google's clients: how they ask, and how they are answered."""

import orjson

from understudy_api.config import Dialect
from understudy_proxy.dialects import sse
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.counting import CountClient
from understudy_proxy.dialects.gemini.answer import write_answer
from understudy_proxy.dialects.gemini.chat import chat_of
from understudy_proxy.dialects.gemini.encoder import StreamEncoder
from understudy_proxy.dialects.gemini.framing import ARRAY_TYPE
from understudy_proxy.dialects.gemini.passing import PassedCount, PassedGenerate
from understudy_proxy.dialects.gemini.request import GenerateRequest


def _client(stream_type: str) -> ChatClient[GenerateRequest]:
    return ChatClient(
        stream_type=stream_type,
        chat=chat_of,
        answer=write_answer,
        encoder=StreamEncoder,
        passing={Dialect.GEMINI: PassedGenerate},
    )


def _count(tokens: int) -> bytes:
    return orjson.dumps({"totalTokens": tokens})


CLIENT = _client(sse.CONTENT_TYPE)
"""Answers, and streams as server-sent events."""
ARRAY_CLIENT = _client(ARRAY_TYPE)
"""Streams as JSON arrays."""
COUNT_CLIENT: CountClient[GenerateRequest] = CountClient(
    chat=chat_of, answer=_count, passing={Dialect.GEMINI: PassedCount}
)
"""Counts of tokens."""
