"""Bedrock as a provider."""

from collections.abc import Mapping

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bedrock.decode import read
from understudy_proxy.dialects.bedrock.decoder import ConverseDecoder
from understudy_proxy.dialects.bedrock.encode import encode, to_count
from understudy_proxy.dialects.bedrock.failures import refused
from understudy_proxy.dialects.bedrock.frames import Frames, NoLibrary
from understudy_proxy.dialects.bedrock.names import path, without_geography
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.failure import UpstreamFailure

_STREAMED = (("accept", "application/vnd.amazon.eventstream"),)


class ConverseTurn:
    """A message, asked for."""

    __slots__ = ("_encoded", "call")

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        if chat.stream:
            _check_library()
        self._encoded = encode(chat, candidate)
        self.call = Call(
            path(candidate.upstream_model, "converse-stream" if chat.stream else "converse"),
            written(self._encoded.body),
            _STREAMED if chat.stream else (),
            self._encoded.warnings,
        )
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer | UpstreamFailure:
        """What a response that is not a stream says."""
        return read(status, headers, body, self._encoded)

    def decoder(self) -> ConverseDecoder:
        """A reader of the stream that answers it."""
        return ConverseDecoder(self._encoded)


class CountTurn:
    """The tokens of a message that is not asked for."""

    __slots__ = ("call",)

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        encoded = encode(chat, candidate)
        model = without_geography(candidate.upstream_model)
        self.call = Call(path(model, "count-tokens"), written(to_count(encoded)), (), encoded.warnings)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> int | UpstreamFailure:
        """`{"inputTokens": N}`."""
        if not is_success(status):
            return refused(status, headers, body)
        answer = parsed(body)
        tokens = answer.get("inputTokens") if isinstance(answer, dict) else None
        return tokens if type(tokens) is int and tokens >= 0 else no_answer(body, answer, status=status)


def _check_library() -> None:
    try:
        Frames()
    except NoLibrary:
        raise Unsupported(
            "Streams of Bedrock need a library that the gateway does not have: pip install 'understudy[aws]'."
        ) from None


PROVIDER = ProviderDialect(chat=ConverseTurn, count=CountTurn)
