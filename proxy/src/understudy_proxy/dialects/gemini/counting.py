"""How many tokens a request has, asked of Gemini: `countTokens`."""

from collections.abc import Mapping

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.dialects.gemini.encode import encode, named, path_of
from understudy_proxy.dialects.gemini.failures import failure_in, refused
from understudy_proxy.dialects.gemini.vertex import is_vertex
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.failure import UpstreamFailure


class CountTurn:
    """One request to be counted."""

    __slots__ = ("call",)

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        encoded = encode(chat, candidate)
        body = encoded.body
        if is_vertex(candidate):
            # How an answer would be made has no place in it there, and no tokens.
            body = {name: value for name, value in body.items() if name != "toolConfig"}
        else:
            body = {"generateContentRequest": {"model": f"models/{named(candidate)}", **body}}
        self.call = Call(path_of(candidate, "countTokens"), written(body), warnings=encoded.warnings)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> int | UpstreamFailure:
        """The tokens."""
        if not is_success(status):
            return refused(status, headers, body)
        answer = parsed(body)
        if (failure := failure_in(answer)) is not None:
            return failure
        # Zero is left out.
        count = answer.get("totalTokens", 0) if isinstance(answer, dict) else None
        return count if type(count) is int and count >= 0 else no_answer(body, answer, status=status)
