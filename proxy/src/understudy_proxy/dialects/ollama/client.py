"""Ollama's clients: how they ask, and how they are answered."""

from understudy_api.config import Dialect
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.ollama.answer import write_answer
from understudy_proxy.dialects.ollama.chat import chat_of
from understudy_proxy.dialects.ollama.encoder import STREAM_TYPE, StreamEncoder
from understudy_proxy.dialects.ollama.passing import PassedAnswer
from understudy_proxy.dialects.ollama.request import OllamaRequest

CLIENT: ChatClient[OllamaRequest] = ChatClient(
    stream_type=STREAM_TYPE,
    chat=chat_of,
    answer=write_answer,
    encoder=StreamEncoder,
    passing={Dialect.OLLAMA: PassedAnswer},
)
"""Of `/api/chat` and `/api/generate`."""
