"""Anthropic as a provider."""

from collections.abc import Mapping

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.anthropic.decode import read, read_count
from understudy_proxy.dialects.anthropic.decoder import MessagesDecoder
from understudy_proxy.dialects.anthropic.encode import Encoded, encode, to_count
from understudy_proxy.dialects.anthropic.names import COUNT_PATH, PATH, VERSION, VERSION_HEADER
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.failure import UpstreamFailure

_HEADERS = ((VERSION_HEADER, VERSION),)


class MessagesTurn:
    """A message, asked for."""

    __slots__ = ("_encoded", "call")

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        self._encoded: Encoded = encode(chat, candidate)
        self.call = Call(PATH, written(self._encoded.body), _HEADERS, self._encoded.warnings)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer | UpstreamFailure:
        """What a response that is not a stream says."""
        return read(status, headers, body, self._encoded)

    def decoder(self) -> MessagesDecoder:
        """A reader of the stream that answers it."""
        return MessagesDecoder(self._encoded)


class CountTurn:
    """The tokens of a message that is not asked for."""

    __slots__ = ("call",)

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        encoded = encode(chat, candidate)
        self.call = Call(COUNT_PATH, written(to_count(encoded.body)), _HEADERS, encoded.warnings)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> int | UpstreamFailure:
        """`{"input_tokens": N}`."""
        return read_count(status, headers, body)


PROVIDER = ProviderDialect(chat=MessagesTurn, count=CountTurn)
