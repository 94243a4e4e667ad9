"""Ollama's clients that ask for vectors: `/api/embed`, and the older `/api/embeddings` for one text."""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy_api.config import Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.embedding import EmbeddingClient, need_of
from understudy_proxy.dialects.fields import integer, invalid, string, strings
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.ollama.clock import SYSTEM, Clock
from understudy_proxy.dialects.ollama.embeddings import EMBED
from understudy_proxy.dialects.ollama.passing import PassedEmbedding
from understudy_proxy.dialects.ollama.request import model_in, read_object

OLDER = "/api/embeddings"
_MOST_INPUTS = 2048
_READ = frozenset({"model", "name", "input", "prompt", "dimensions"})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EmbedRequest(Asked):
    """A request for vectors."""

    inputs: tuple[str, ...]
    path: str
    clock: Clock
    began: int
    """When it came, by `clock.elapsed`."""


def read(raw: bytes, *, path: str, clock: Clock = SYSTEM) -> EmbedRequest:
    """Read the body of a request that came by `path`.

    Raises:
        RequestError: it is not one.
    """
    body = read_object(raw)
    given = body.get("input") if path == EMBED else string(body.get("prompt"), "prompt")
    inputs = (given,) if type(given) is str else strings(given, "input")
    if not 1 <= len(inputs) <= _MOST_INPUTS:
        raise invalid("input", f"expected from 1 to {_MOST_INPUTS} texts, but got {len(inputs)}.")
    return EmbedRequest(
        body=body,
        model=model_in(body),
        need=need_of(inputs),
        inputs=inputs,
        path=path,
        clock=clock,
        began=clock.elapsed(),
    )


def _embedding(asked: EmbedRequest) -> Embedding:
    dimensions = asked.body.get("dimensions")
    return Embedding(
        model=asked.model,
        inputs=asked.inputs,
        dimensions=None if dimensions is None else integer(dimensions, "dimensions"),
        extra={name: value for name, value in asked.body.items() if name not in _READ and value is not None},
    )


def _answer(vectors: Vectors, asked: EmbedRequest) -> bytes:
    if asked.path == OLDER:
        return orjson.dumps({"embedding": vectors.vectors[0]})
    answer: dict[str, Any] = {
        "model": asked.model,
        "embeddings": vectors.vectors,
        "total_duration": asked.clock.elapsed() - asked.began,
        "load_duration": 0,
    }
    if vectors.usage is not None:
        answer["prompt_eval_count"] = vectors.usage.input
    return orjson.dumps(answer)


def _passed(asked: EmbedRequest, candidate: Candidate, _prompt: Prompt | None) -> PassedEmbedding:
    return PassedEmbedding(asked, candidate, path=asked.path)


EMBED_CLIENT: EmbeddingClient[EmbedRequest] = EmbeddingClient(
    embedding=_embedding, answer=_answer, passing={Dialect.OLLAMA: _passed}
)
