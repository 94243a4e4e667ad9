"""Providers of OpenAI's dialect, asked for vectors by clients of another."""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import string, written
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.failures.kinds import no_answer
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.openai.embeddings.answers import answered
from understudy_proxy.dialects.openai.embeddings.vectors import numbers
from understudy_proxy.dialects.openai.encode import left_out
from understudy_proxy.dialects.openai.quirks import quirks_of
from understudy_proxy.dialects.openai.usage import read_usage
from understudy_proxy.failure import UpstreamFailure

PATH = "/embeddings"
_RENAMED = {"Mistral": {"dimensions": "output_dimension"}}
"""Names that a type of provider has for OpenAI's fields."""


def renamed(body: dict[str, Any], candidate: Candidate) -> dict[str, Any]:
    """`body` with the fields named as the provider names them."""
    for name, its_name in _RENAMED.get(candidate.upstream.type, {}).items():
        if name in body:
            body[its_name] = body.pop(name)
    return body


class EmbeddingTurn:
    """One request for vectors."""

    __slots__ = ("_inputs", "call")

    def __init__(self, embedding: Embedding, candidate: Candidate) -> None:
        self._inputs = len(embedding.inputs)
        quirks = quirks_of(candidate.upstream.type)
        body: dict[str, Any] = {"model": candidate.upstream_model, "input": list(embedding.inputs)}
        warnings = [left_out(name) for name in embedding.extra]
        if embedding.dimensions is not None:
            body["dimensions"] = embedding.dimensions
        if embedding.user is not None and "user" in quirks.unknown:
            warnings.append(left_out("user"))
        elif embedding.user is not None:
            body["user"] = embedding.user
        if quirks.is_openai:
            # A fourth of the bytes.
            body["encoding_format"] = "base64"
        self.call = Call(PATH, written(renamed(body, candidate)), warnings=tuple(warnings))
        """What to send."""

    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> Vectors | UpstreamFailure:
        """The vectors, in the order of the inputs."""
        read = answered(status, headers, body, inputs=self._inputs)
        if isinstance(read, UpstreamFailure):
            return read
        answer, items = read
        if all(type(item.get("index")) is int for item in items):
            items.sort(key=lambda item: int(item["index"]))
        try:
            vectors = tuple(numbers(item["embedding"]) for item in items)
        except ValueError:
            return no_answer(body, answer, status=status)
        return Vectors(vectors, read_usage(answer), string(answer.get("model")))
