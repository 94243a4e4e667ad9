"""Vectors from Gemini: `batchEmbedContents` of the Developer API, `predict` of Vertex AI."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.dialects.gemini.encode import named, path_of
from understudy_proxy.dialects.gemini.failures import failure_in, refused
from understudy_proxy.dialects.gemini.usage import read_usage
from understudy_proxy.dialects.gemini.vertex import is_vertex
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure


class EmbeddingTurn:
    """One request for vectors."""

    __slots__ = ("_count", "call")

    def __init__(self, embedding: Embedding, candidate: Candidate) -> None:
        self._count = len(embedding.inputs)
        self.call = _call(embedding, candidate)
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Vectors | UpstreamFailure:
        """The vectors, in the order of the inputs."""
        if not is_success(status):
            return refused(status, headers, body)
        answer = parsed(body)
        if (failure := failure_in(answer)) is not None:
            return failure
        vectors = _vectors(answer)
        if vectors is None or len(vectors) != self._count:
            return no_answer(body, answer, status=status)
        return Vectors(tuple(vectors), _usage(answer))


def _call(embedding: Embedding, candidate: Candidate) -> Call:
    texts = [one for one in embedding.inputs if isinstance(one, str)]
    if len(texts) < len(embedding.inputs):
        raise Unsupported("Gemini embeds texts, not tokens of another model's tokenizer; send strings.", param="input")
    warnings = [f"Gemini has no '{name[:64]}': it was not sent." for name in embedding.extra]
    if embedding.user is not None:
        warnings.append("Gemini is not told whom an answer is for: user was not sent.")
    vertex = is_vertex(candidate)
    body = _instances(texts, embedding) if vertex else _requests(texts, embedding, candidate)
    return Call(
        path_of(candidate, "predict" if vertex else "batchEmbedContents"), written(body), warnings=tuple(warnings)
    )


def _requests(texts: list[str], embedding: Embedding, candidate: Candidate) -> dict[str, Any]:
    shared: dict[str, Any] = {"model": f"models/{named(candidate)}"}
    if embedding.dimensions is not None:
        shared["outputDimensionality"] = embedding.dimensions
    return {"requests": [{**shared, "content": {"parts": [{"text": text}]}} for text in texts]}


def _instances(texts: list[str], embedding: Embedding) -> dict[str, Any]:
    body: dict[str, Any] = {"instances": [{"content": text} for text in texts]}
    if embedding.dimensions is not None:
        body["parameters"] = {"outputDimensionality": embedding.dimensions}
    return body


def _vectors(answer: Any) -> list[list[float]] | None:
    if not isinstance(answer, dict):
        return None
    made: Any
    if isinstance(predictions := answer.get("predictions"), list):
        made = [one.get("embeddings") if isinstance(one, dict) else None for one in predictions]
    else:
        made = answer.get("embeddings")
    vectors = [_vector(one) for one in made] if isinstance(made, list) else []
    whole = [vector for vector in vectors if vector is not None]
    return whole if len(whole) == len(vectors) else None


def _vector(made: Any) -> list[float] | None:
    values = made.get("values") if isinstance(made, dict) else None
    return values if isinstance(values, list) and all(type(number) in {float, int} for number in values) else None


def _usage(answer: dict[str, Any]) -> Usage | None:
    """Newer models count like all others; Vertex counts each text by itself."""
    if (stated := read_usage(answer.get("usageMetadata"))) is not None:
        return stated
    counts = [_tokens(one) for one in answer.get("predictions") or ()]
    return Usage(input=sum(counts), output=0) if any(counts) else None


def _tokens(prediction: Any) -> int:
    for name in ("embeddings", "statistics"):
        prediction = prediction.get(name) if isinstance(prediction, dict) else None
    count = prediction.get("token_count") if isinstance(prediction, dict) else None
    return int(count) if isinstance(count, (int, float)) and 0 <= count < 1e9 else 0
