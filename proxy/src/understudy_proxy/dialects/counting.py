"""How many tokens a request has: asked of whoever can count, estimated where nobody can.

A provider whose dialect has no way to ask is passed over like any that cannot express a request; the door then answers
with the estimate that routing goes by, and says that it is one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from understudy_api.config import Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.client import AskedT, Passing
from understudy_proxy.dialects.interpretation import Asked, Interpretation, Reading
from understudy_proxy.dialects.persona import applied
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.whole import TranslatedWhole

ESTIMATED = "No provider behind this model counts tokens: this is an estimate."
"""The warning that goes with an estimate."""


@dataclass(frozen=True, slots=True)
class CountClient(Generic[AskedT]):
    """A client's dialect of asking for a count."""

    chat: Callable[[AskedT], Chat]
    answer: Callable[[int], bytes]
    """The body that tells a number of tokens."""
    passing: Mapping[Dialect, Passing[AskedT]]
    """Where nothing needs to be translated."""


@dataclass(frozen=True, slots=True)
class CountOperation:
    """Counts for clients of one dialect, by providers of all."""

    client: CountClient[Any]
    providers: Mapping[Dialect, ProviderDialect]
    name: str = "count_tokens"
    stream_type: str = ""
    """Counts are not streamed."""

    def interpret(self, asked: Asked, candidate: Candidate, prompt: Prompt | None) -> Interpretation:
        """Pass through where both speak the same dialect, else translate.

        Raises:
            RequestError: the request is wrong.
            Unsupported: the candidate's dialect has no way to ask.
        """
        dialect = candidate.upstream.dialect
        passing = self.client.passing.get(dialect)
        if passing is not None:
            return passing(asked, candidate, prompt)
        provider = self.providers.get(dialect)
        if provider is None or provider.count is None:
            raise Unsupported(f"{candidate.upstream.type} has no way to count the tokens of a request")
        chat = self.client.chat(asked)
        chat = chat if prompt is None else applied(prompt, chat)
        return TranslatedWhole(
            provider.count(chat, candidate), lambda tokens: Reading(None, body=self.client.answer(tokens))
        )

    def estimate(self, asked: Asked) -> tuple[bytes, str]:
        """What to answer when nobody can be asked, and the warning that goes with it."""
        return self.client.answer(asked.need.input_tokens), ESTIMATED
