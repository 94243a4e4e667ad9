"""Ollama as a provider."""

from collections.abc import Mapping

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.ollama.decode import StreamDecoder, read_answer
from understudy_proxy.dialects.ollama.embeddings import EmbeddingTurn
from understudy_proxy.dialects.ollama.encode import encode
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.failure import UpstreamFailure


class OllamaTurn:
    """One request for an answer."""

    __slots__ = ("call",)

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        self.call = encode(chat, candidate)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer | UpstreamFailure:
        """What a response that is not a stream says."""
        return read_answer(status, headers, body)

    def decoder(self) -> StreamDecoder:
        """A reader of the stream that answers it."""
        return StreamDecoder()


PROVIDER = ProviderDialect(chat=OllamaTurn, embed=EmbeddingTurn)
