"""Gemini on Vertex AI: the same messages at `/v1/projects/P/locations/L/publishers/google/models/M:…`.

It wants a bearer token, its streams begin with a chunk that has no candidates yet, and vectors are predictions.
Models of other publishers are left out.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects.dialect import Head, Stamp, bearer, check_method
from understudy.mock.dialects.gemini.answers import named, streamed
from understudy.mock.dialects.gemini.developer import Gemini, call_of, framed
from understudy.mock.dialects.gemini.requests import read_predict
from understudy.mock.failures import Failure, FailureKind
from understudy.mock.replies import Reply, tokens_in

_MODEL = re.compile(
    r"/v1(?:beta1)?/(?:projects/[^/]+/locations/[^/]+/)?publishers/google/models/([^/:]+)(?::([A-Za-z]+))?"
)


class Vertex(Gemini):
    """Gemini's dialect as Google Cloud has it."""

    words = Gemini.words | {
        FailureKind.MODEL_NOT_FOUND: (
            "Publisher Model `publishers/google/models/{model}` was not found or your project does not have access to "
            "it."
        )
    }

    def find(self, head: Head) -> Call | None:
        """The model is at the end of a resource name. Vectors have another method here."""
        found = _MODEL.fullmatch(head.path)
        if not found or found[2] == "batchEmbedContents":
            return None
        model = unquote(found[1])
        if found[2] != "predict":
            return call_of(head, model=model, method=found[2])
        check_method(head, "POST")
        return Call(Operation.EMBEDDINGS, model, "predict")

    def credential(self, head: Head) -> str | None:
        """A bearer token alone, or in express mode a key."""
        return bearer(head.headers) or head.headers.get("x-goog-api-key") or head.query.get("key")

    def bad_key(self, given: str | None) -> Failure:  # noqa: ARG002 - the same for both
        """A wrong token and none at all are answered alike."""
        message = (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential."
        )
        return Failure(FailureKind.BAD_KEY, 401, message)

    def embeddings(self, call: Call, body: Any) -> Embeddings:
        """Read the body of a prediction, or of the method that newer models have."""
        return read_predict(call, body) if call.variant == "predict" else super().embeddings(call, body)

    def vectors(self, ask: Embeddings, vectors: Sequence[Sequence[float]]) -> bytes:
        """Predictions, each of which counts its own tokens."""
        if ask.variant != "predict":
            return super().vectors(ask, vectors)
        made = [
            {"embeddings": {"values": vector, "statistics": {"token_count": tokens_in(text), "truncated": False}}}
            for text, vector in zip(ask.inputs, vectors, strict=True)
        ]
        return orjson.dumps({"predictions": made, "metadata": {"billableCharacterCount": sum(map(len, ask.inputs))}})

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """A first chunk with neither candidates nor counts, then as everywhere."""
        created = datetime.fromtimestamp(stamp.created, UTC).isoformat()
        first = {"usageMetadata": {"trafficType": "ON_DEMAND"}, **named(chat.model, stamp), "createTime": created}
        rest = streamed(chat, reply, stamp)
        return framed(Stream((orjson.dumps(first),), rest.pieces, rest.closing), chat.variant)
