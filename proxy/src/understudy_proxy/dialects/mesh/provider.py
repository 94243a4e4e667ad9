"""Agents of a mesh as a provider."""

from collections.abc import Mapping

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.answer import Answer
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.events import Ended, Failed
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.failures.kinds import invalid_response, is_success
from understudy_proxy.dialects.mesh.decoder import AgentDecoder
from understudy_proxy.dialects.mesh.encode import encode
from understudy_proxy.dialects.mesh.failures import refused
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.failure import UpstreamFailure


class MeshTurn:
    """One call of an agent."""

    __slots__ = ("call",)

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        self.call = encode(chat, candidate)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer | UpstreamFailure:
        """What a whole answer says, which may be a stream of events all the same."""
        if not is_success(status):
            return refused(status, headers, body)
        decoder = self.decoder()
        events = [*decoder.feed(body), *decoder.close()]
        last = events[-1] if events else None
        if isinstance(last, Failed):
            return last.failure
        if not isinstance(last, Ended):
            return invalid_response("an agent's answer ended before its result")
        return fold(events)

    def decoder(self) -> AgentDecoder:
        """A reader of the answer as it comes."""
        return AgentDecoder()


PROVIDER = ProviderDialect(chat=MeshTurn)
