"""The client side of OpenAI's chat completions."""

from understudy_api.config import Dialect
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.client import ChatClient, Encoder
from understudy_proxy.dialects.openai.passing import PassedChat
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.sse import CONTENT_TYPE


def _chat(_asked: ChatRequest) -> Chat:
    raise Unsupported("no translation from this dialect yet")


def _answer(_answer: Answer, _asked: ChatRequest) -> bytes:
    raise Unsupported("no translation to this dialect yet")


def _encoder(_asked: ChatRequest) -> Encoder:
    raise Unsupported("no translation to this dialect yet")


CLIENT: ChatClient[ChatRequest] = ChatClient(
    stream_type=CONTENT_TYPE,
    chat=_chat,
    answer=_answer,
    encoder=_encoder,
    passing={Dialect.OPENAI: PassedChat},
)
