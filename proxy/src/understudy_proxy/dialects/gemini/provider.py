"""Gemini as a provider, on the Developer API and on Vertex AI."""

from collections.abc import Mapping

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.gemini.counting import CountTurn
from understudy_proxy.dialects.gemini.decode import StreamDecoder, read_answer
from understudy_proxy.dialects.gemini.embeddings import EmbeddingTurn
from understudy_proxy.dialects.gemini.encode import encode, path_of
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.failure import UpstreamFailure

WHOLE = "generateContent"
STREAM = "streamGenerateContent?alt=sse"


class GeminiTurn:
    """One request for an answer."""

    __slots__ = ("_names", "call")

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        encoded = encode(chat, candidate)
        self._names = encoded.names
        path = path_of(candidate, STREAM if chat.stream else WHOLE)
        self.call = Call(path, written(encoded.body), warnings=encoded.warnings)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer | UpstreamFailure:
        """What a response that is not a stream says."""
        return read_answer(status, headers, body, self._names)

    def decoder(self) -> StreamDecoder:
        """A reader of the stream that answers it."""
        return StreamDecoder(self._names)


PROVIDER = ProviderDialect(chat=GeminiTurn, embed=EmbeddingTurn, count=CountTurn)
