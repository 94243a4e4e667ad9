"""How each dialect of providers is spoken, as the exchange needs it. A new dialect is a package and a row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from understudy_api.config import Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.openai import provider as openai
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.dialects.openai.stream import ChatStream


@dataclass(frozen=True, slots=True)
class ProviderDialect:
    """Encode a request, read an answer or a stream of it; bytes only."""

    path: str
    encode: Callable[[ChatRequest, Candidate, Prompt | None], bytes]
    read_answer: Callable[[int, Mapping[str, str], bytes], openai.Reading]
    stream: Callable[[ChatRequest], ChatStream]


def _openai_stream(chat: ChatRequest) -> ChatStream:
    return ChatStream(include_usage=chat.include_usage, choices=chat.choices)


DIALECTS: Mapping[Dialect, ProviderDialect] = {
    Dialect.OPENAI: ProviderDialect(openai.PATH, openai.encode, openai.read_answer, _openai_stream),
}
