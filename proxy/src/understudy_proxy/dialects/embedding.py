"""Vectors for texts: for clients of one dialect, by providers of all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from understudy_api.config import Capability, Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.client import AskedT, Passing
from understudy_proxy.dialects.interpretation import Asked, Interpretation, Reading
from understudy_proxy.dialects.provider import ProviderDialect
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.whole import TranslatedWhole
from understudy_proxy.routing.need import BYTES_PER_TOKEN, Need

_CAPABILITIES = frozenset({Capability.EMBEDDINGS})


def need_of(inputs: Iterable[str | tuple[int, ...]]) -> Need:
    """What `inputs`, texts or tokens, take of a model. Each has the model's window for itself."""
    return Need(_CAPABILITIES, max(map(_tokens, inputs)), stream=False, max_output_tokens=None)


def _tokens(one: str | tuple[int, ...]) -> int:
    return len(one.encode(errors="replace")) // BYTES_PER_TOKEN if isinstance(one, str) else len(one)


@dataclass(frozen=True, slots=True)
class EmbeddingClient(Generic[AskedT]):
    """A client's dialect of asking for vectors."""

    embedding: Callable[[AskedT], Embedding]
    """The request in canonical form; raises `RequestError` for what is wrong with it."""
    answer: Callable[[Vectors, AskedT], bytes]
    """The body that tells them."""
    passing: Mapping[Dialect, Passing[AskedT]]
    """Where nothing needs to be translated."""


@dataclass(frozen=True, slots=True)
class EmbeddingOperation:
    """Vectors for clients of one dialect, by providers of all."""

    client: EmbeddingClient[Any]
    providers: Mapping[Dialect, ProviderDialect]
    name: str = "embeddings"
    stream_type: str = ""
    """Vectors are not streamed."""

    def interpret(self, asked: Asked, candidate: Candidate, prompt: Prompt | None) -> Interpretation:
        """Pass through where both speak the same dialect, else translate. A persona's prompt says nothing to vectors.

        Raises:
            RequestError: the request is wrong.
            Unsupported: the candidate's dialect has no vectors, or none of what is asked.
        """
        dialect = candidate.upstream.dialect
        passing = self.client.passing.get(dialect)
        if passing is not None:
            return passing(asked, candidate, prompt)
        provider = self.providers.get(dialect)
        if provider is None or provider.embed is None:
            raise Unsupported(f"{candidate.upstream.type} has no embeddings")
        turn = provider.embed(self.client.embedding(asked), candidate)

        def told(vectors: Vectors) -> Reading:
            return Reading(None, vectors.usage, self.client.answer(vectors, asked))

        return TranslatedWhole(turn, told)
