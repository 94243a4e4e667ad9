"""Providers of OpenAI's dialect, asked by clients of another."""

from collections.abc import Mapping

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.openai.decode import read
from understudy_proxy.dialects.openai.decoder import ChunkDecoder
from understudy_proxy.dialects.openai.embeddings.provider import EmbeddingTurn
from understudy_proxy.dialects.openai.encode import encode
from understudy_proxy.dialects.openai.passing import PATH
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.failure import UpstreamFailure


class CompletionTurn:
    """One request for an answer."""

    __slots__ = ("_names", "call")

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        encoded = encode(chat, candidate)
        self._names = encoded.names
        self.call = Call(PATH, encoded.body, warnings=encoded.warnings)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer | UpstreamFailure:
        """What a response that is not a stream says."""
        return read(status, headers, body, names=self._names)

    def decoder(self) -> ChunkDecoder:
        """A reader of the stream that answers it."""
        return ChunkDecoder(self._names)


PROVIDER = ProviderDialect(chat=CompletionTurn, embed=EmbeddingTurn)
