"""A client of one dialect, a provider of another: through the canonical form, whichever two they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy_api.config import Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.interpretation import Asked, Flow, Interpretation
from understudy_proxy.dialects.persona import applied
from understudy_proxy.dialects.provider import ChatTurn, ProviderDialect
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.resuming import ResumableChat, Resuming
from understudy_proxy.dialects.translated import TranslatedChat
from understudy_proxy.dialects.windows import fitted


@dataclass(frozen=True, slots=True)
class ChatOperation:
    """Answers of models, for clients of one dialect, from providers of all."""

    client: ChatClient[Any]
    providers: Mapping[Dialect, ProviderDialect]
    name: str = "chat"

    @property
    def stream_type(self) -> str:
        """The content type of the client's streams."""
        return self.client.stream_type

    def interpret(self, asked: Asked, candidate: Candidate, prompt: Prompt | None) -> Interpretation:
        """Pass through where both speak the same dialect, else translate.

        Raises:
            RequestError: the request is wrong.
            Unsupported: it cannot be said in the candidate's dialect.
        """
        passing = self.client.passing.get(candidate.upstream.dialect)
        if passing is not None:
            return passing(asked, candidate, prompt)
        return TranslatedChat(asked, self.client, self._turn(self._chat(asked, prompt), candidate))

    def resumable(self, asked: Asked, candidate: Candidate, prompt: Prompt | None) -> Interpretation:
        """As `interpret`, but what is said is understood even where the request passes through."""
        passing = self.client.passing.get(candidate.upstream.dialect)
        passed = passing(asked, candidate, prompt) if passing is not None else None
        try:
            turn = self._turn(self._chat(asked, prompt), candidate)
        except Unsupported:
            if passed is None:
                raise
            return passed  # it means what nobody else could go on with
        flow = Resuming(turn.decoder(), self.client.encoder(asked), input_tokens=asked.need.input_tokens)
        return ResumableChat(asked, self.client, turn, flow=flow, call=passed.call if passed else turn.call)

    def resume(self, asked: Asked, candidate: Candidate, prompt: Prompt | None, *, after: Flow) -> ResumableChat | None:
        """Put to `candidate` what is left of the answer that `after` broke off in; None if nobody can go on with it."""
        if not isinstance(after, Resuming) or not after.resumable:
            return None
        turn = self._turn(after.continued(self._chat(asked, prompt)), candidate)
        flow = after.go_on(turn.decoder(), by=candidate.key)
        return ResumableChat(asked, self.client, turn, flow=flow, call=turn.call)

    def _chat(self, asked: Asked, prompt: Prompt | None) -> Chat:
        chat = self.client.chat(asked)
        return chat if prompt is None else applied(prompt, chat)

    def _turn(self, chat: Chat, candidate: Candidate) -> ChatTurn:
        return self.providers[candidate.upstream.dialect].chat(fitted(chat, candidate), candidate)
