"""Gemini's wire format, as Google's Developer API has it under `/v1` and `/v1beta`: text, streams, counts, vectors.

A stream is server-sent events with `?alt=sse`, and otherwise a JSON array that comes in pieces. Models of the third
generation sign their function calls and give them ids; the others leave both out. Vertex is in `vertex`; Imagen,
Veo, files, caches and the Live API are left out.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects.dialect import Dialect, Head, Stamp, bearer, check_method
from understudy.mock.dialects.gemini import requests
from understudy.mock.dialects.gemini.answers import answered, blocked, streamed
from understudy.mock.dialects.gemini.errors import WORDS, error_body
from understudy.mock.failures import Failure, FailureKind
from understudy.mock.replies import Reply

_MODELS = re.compile(r"/v1(?:beta|alpha)?/models(?:/([^/:]+))?(?::([A-Za-z]+))?")
_METHODS = {
    "generateContent": Operation.CHAT,
    "streamGenerateContent": Operation.CHAT,
    "countTokens": Operation.COUNT,
    "embedContent": Operation.EMBEDDINGS,
    "batchEmbedContents": Operation.EMBEDDINGS,
}
_STREAM_TYPES = {"sse": "text/event-stream", "array": "application/json; charset=UTF-8"}


class Gemini(Dialect):
    """Gemini's dialect; what each method promises is said in `Dialect`."""

    words = WORDS

    def find(self, head: Head) -> Call | None:
        """`/v1/models` is OpenAI's as well: who comes with Google's key means Google's."""
        found = _MODELS.fullmatch(head.path)
        if not found or (found[2] is None and head.path.startswith("/v1/") and not _has_key(head)):
            return None
        return call_of(head, model=unquote(found[1] or ""), method=found[2])

    def unknown(self, head: Head) -> Failure:
        """Google's servers answer this with a page; the mock says it in JSON."""
        message = f"The requested URL {head.path} was not found on this server."
        return Failure(FailureKind.PATH_NOT_FOUND, 404, message)

    def credential(self, head: Head) -> str | None:
        """The header of its own, the query's `key`, or a bearer token."""
        return head.headers.get("x-goog-api-key") or head.query.get("key") or bearer(head.headers)

    def bad_key(self, given: str | None) -> Failure:
        """A wrong key is a bad request, and none at all a forbidden one."""
        if given:
            return Failure(FailureKind.BAD_KEY, 400, "API key not valid. Please pass a valid API key.")
        message = (
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key or other form of API consumer identity to call this API."
        )
        return Failure(FailureKind.FORBIDDEN, 403, message)

    def chat(self, call: Call, body: Any) -> Chat:
        """Read the body of a request to generate, or to count."""
        if call.operation is Operation.COUNT:
            return requests.read_count(call, body)
        return requests.read_generate(call, body)

    def embeddings(self, call: Call, body: Any) -> Embeddings:
        """Read the body of a request for one vector or several."""
        return requests.read_embed(call, body)

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:  # noqa: ARG002 - the same for all
        """Google gives no request id."""
        return {"content-type": "application/json; charset=UTF-8", "server-timing": "gfet4t7; dur=1"}

    def stream_type(self, call: Call) -> str:
        """Events, or an array."""
        return _STREAM_TYPES[call.variant]

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """A `GenerateContentResponse`."""
        return orjson.dumps(answered(chat, reply, stamp))

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """Several `GenerateContentResponse`, each with whole parts; the last tells why it ends."""
        return framed(streamed(chat, reply, stamp), chat.variant)

    def size(self, chat: Chat) -> bytes:
        """A `CountTokensResponse`."""
        count = chat.prompt_tokens
        return orjson.dumps({"totalTokens": count, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": count}]})

    def vectors(self, ask: Embeddings, vectors: Sequence[Sequence[float]]) -> bytes:
        """One embedding, or a list of them."""
        made = [{"values": vector} for vector in vectors]
        return orjson.dumps({"embeddings": made} if ask.variant == "batch" else {"embedding": made[0]})

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:  # noqa: ARG002 - no time in it
        """A list of `Model`."""
        return orjson.dumps({"models": [_model(model) for model in models]})

    def model_entry(self, model: str, stamp: Stamp) -> bytes:  # noqa: ARG002 - no time in it
        """One `Model`."""
        return orjson.dumps(_model(model))

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - no id in it
        """A `google.rpc.Status`."""
        return orjson.dumps(error_body(failure))

    def error_within(self, call: Call, failure: Failure, stamp: Stamp) -> bytes:
        """A blocked prompt is no error: it has no candidates, and feedback instead."""
        if failure.kind is FailureKind.FILTER:
            return orjson.dumps(blocked(call.model, stamp))
        return super().error_within(call, failure, stamp)

    def error_headers(self, failure: Failure) -> dict[str, str]:  # noqa: ARG002 - it is in the body
        """When to come back is told in the body alone."""
        return {}

    def event(self, call: Call, content: bytes, *, first: bool) -> bytes:
        """One event, or the last element of an array."""
        if call.variant == "sse":
            return b"data: %b\r\n\r\n" % content
        return (b"[%b]" if first else b",\r\n%b]") % content


def call_of(head: Head, *, model: str, method: str | None) -> Call | None:
    """Return what a path with a model and perhaps a method after `:` asks for."""
    if method is None:
        check_method(head, "GET")
        return Call(Operation.MODEL if model else Operation.MODELS, model)
    if method not in _METHODS or not model:
        return None
    check_method(head, "POST")
    variant = {"streamGenerateContent": "array", "batchEmbedContents": "batch"}.get(method, "")
    return Call(_METHODS[method], model, "sse" if variant == "array" and head.query.get("alt") == "sse" else variant)


def _has_key(head: Head) -> bool:
    return "x-goog-api-key" in head.headers or "key" in head.query


def framed(stream: Stream, variant: str) -> Stream:
    """Make chunks events, or elements of one array, which each opens or goes on with, and the last closes."""
    chunks = [*stream.opening, *stream.pieces, *stream.closing]
    if variant.startswith("sse"):
        made = [b"data: %b\r\n\r\n" % chunk for chunk in chunks]
    else:
        made = [(b",\r\n%b" if place else b"[%b") % chunk for place, chunk in enumerate(chunks)]
        made[-1] += b"]"
    opened, said = len(stream.opening), len(stream.opening) + len(stream.pieces)
    return Stream(tuple(made[:opened]), tuple(made[opened:said]), tuple(made[said:]))


def _model(model: str) -> dict[str, Any]:
    return {
        "name": f"models/{model}",
        "baseModelId": model,
        "version": "001",
        "displayName": model,
        "description": "A mock.",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": list(_METHODS),
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
    }
