"""Google's clients that ask for vectors: `embedContent` for one, `batchEmbedContents` for several."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from understudy_api.config import Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.embedding import EmbeddingClient, need_of
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.dialects.fields import invalid, missing
from understudy_proxy.dialects.gemini.embeddings import EmbeddingTurn
from understudy_proxy.dialects.gemini.encode import named, path_of
from understudy_proxy.dialects.gemini.failures import failure_in, refused
from understudy_proxy.dialects.gemini.messages import Fields
from understudy_proxy.dialects.gemini.request import read_object
from understudy_proxy.dialects.gemini.usage import read_usage
from understudy_proxy.dialects.gemini.usage import written as written_usage
from understudy_proxy.dialects.gemini.vertex import is_vertex
from understudy_proxy.dialects.interpretation import Asked, Call, Interpretation, Reading
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.whole import TranslatedWhole

_MOST_INPUTS = 2048


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EmbedRequest(Asked):
    """A request for vectors."""

    inputs: tuple[str, ...]
    batch: bool
    dimensions: int | None
    extra: dict[str, Any]
    """What of it only Gemini knows."""


def read(raw: bytes, *, model: str, batch: bool) -> EmbedRequest:
    """Read the body of a request; the model's name is in its path.

    Raises:
        RequestError: it is not one.
    """
    body = read_object(raw)
    fields = Fields(body)
    requests = fields.messages("requests") if batch else [fields]
    if not 1 <= len(requests) <= _MOST_INPUTS:
        raise missing("requests") if not requests else invalid("requests", f"at most {_MOST_INPUTS} can be embedded.")
    inputs = tuple(_text(request) for request in requests)
    dimensions = {_dimensions(request) for request in requests}
    if len(dimensions) > 1:
        raise invalid("requests", "all of them must ask for the same 'outputDimensionality'.")
    extra = {request.at(name): value for request in requests for name, value in request.unread().items()}
    return EmbedRequest(
        body=body,
        model=model,
        need=need_of(inputs),
        inputs=inputs,
        batch=batch,
        dimensions=dimensions.pop(),
        extra=extra,
    )


class PassedEmbedding:
    """One request on its way to Google's Developer API."""

    __slots__ = ("_batch", "call")

    def __init__(self, asked: EmbedRequest, candidate: Candidate) -> None:
        """Make it ready to be sent."""
        self._batch = asked.batch
        name = f"models/{named(candidate)}"
        body = dict(asked.body)
        if asked.batch:
            body["requests"] = [{**request, "model": name} for request in _listed(body["requests"])]
        elif "model" in body:
            body["model"] = name
        self.call = Call(path_of(candidate, "batchEmbedContents" if asked.batch else "embedContent"), written(body))
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """The answer as it is."""
        if not is_success(status):
            return Reading(refused(status, headers, body))
        answer = parsed(body)
        if (failure := failure_in(answer)) is not None:
            return Reading(failure)
        if not isinstance(answer, dict) or not answer.get("embeddings" if self._batch else "embedding"):
            return Reading(no_answer(body, answer, status=status))
        return Reading(None, read_usage(answer.get("usageMetadata")), body)

    def flow(self) -> NoReturn:
        """Nobody asks for a stream of these.

        Raises:
            TypeError: always.
        """
        raise TypeError("vectors are never streamed")


def _passed(asked: EmbedRequest, candidate: Candidate, _prompt: Prompt | None) -> Interpretation:
    """Pass it on; Vertex AI has another method for the same."""
    if not is_vertex(candidate):
        return PassedEmbedding(asked, candidate)
    turn = EmbeddingTurn(_embedding(asked), candidate)
    return TranslatedWhole(turn, lambda vectors: Reading(None, vectors.usage, _answer(vectors, asked)))


def _embedding(asked: EmbedRequest) -> Embedding:
    return Embedding(model=asked.model, inputs=asked.inputs, dimensions=asked.dimensions, extra=asked.extra)


def _answer(vectors: Vectors, asked: EmbedRequest) -> bytes:
    made = [{"values": vector} for vector in vectors.vectors]
    answer: dict[str, Any] = {"embeddings": made} if asked.batch else {"embedding": made[0]}
    if vectors.usage is not None:
        answer["usageMetadata"] = written_usage(vectors.usage)
    return orjson.dumps(answer)


def _text(request: Fields) -> str:
    content = request.message("content")
    if content is None:
        raise missing(request.at("content"))
    request.raw("model")
    texts = []
    for part in content.messages("parts"):
        if (text := part.text("text")) is None:
            raise RequestError("Only texts can be embedded here.", code="unsupported_parameter", param=part.path)
        texts.append(text)
    return "\n".join(texts)


def _dimensions(request: Fields) -> int | None:
    """The newest clients say it in `embedContentConfig`."""
    config = request.message("embedContentConfig")
    inner = None if config is None else config.whole("outputDimensionality")
    outer = request.whole("outputDimensionality")
    return inner if outer is None else outer


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, dict) else value


EMBED_CLIENT: EmbeddingClient[EmbedRequest] = EmbeddingClient(
    embedding=_embedding, answer=_answer, passing={Dialect.GEMINI: _passed}
)
