"""Vectors from Ollama: `/api/embed`."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.ollama.failures import failure_in, refused
from understudy_proxy.dialects.ollama.usage import read_usage
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.failure import UpstreamFailure

EMBED = "/api/embed"


class EmbeddingTurn:
    """One request for vectors."""

    __slots__ = ("_count", "call")

    def __init__(self, embedding: Embedding, candidate: Candidate) -> None:
        self._count = len(embedding.inputs)
        texts = [one for one in embedding.inputs if isinstance(one, str)]
        if len(texts) < self._count:
            raise Unsupported(
                "Ollama embeds texts, not tokens of another model's tokenizer; send strings.", param="input"
            )
        body: dict[str, Any] = {"model": candidate.upstream_model, "input": texts}
        if embedding.dimensions is not None:
            body["dimensions"] = embedding.dimensions
        warnings = [f"Ollama has no '{name[:64]}': it was not sent." for name in embedding.extra]
        if embedding.user is not None:
            warnings.append("Ollama is not told whom an answer is for: user was not sent.")
        self.call = Call(EMBED, written(body), warnings=tuple(warnings))
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Vectors | UpstreamFailure:
        """The vectors, in the order of the inputs."""
        if not is_success(status):
            return refused(status, headers, body)
        answer = parsed(body)
        if (failure := failure_in(answer)) is not None:
            return failure
        vectors = answer.get("embeddings") if isinstance(answer, dict) else None
        if not isinstance(vectors, list) or len(vectors) != self._count or not all(map(_is_vector, vectors)):
            return no_answer(body, answer, status=status)
        return Vectors(tuple(vectors), read_usage(answer))


def _is_vector(given: Any) -> bool:
    return isinstance(given, list) and all(type(number) in {float, int} for number in given)
