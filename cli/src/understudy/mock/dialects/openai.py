"""The OpenAI wire format: chat completions, embeddings and models, as `/v1` of its API has them.

As strict as the vendor where a gateway could go wrong (types, paths, the order of a stream), and silent about the
fields that change nothing here (temperature, metadata and the like). Custom tools, audio, logprobs and the
Responses API are left out.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from struct import pack
from typing import Any
from urllib.parse import unquote

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects import openai_requests
from understudy.mock.dialects.dialect import Stamp
from understudy.mock.failures import Failure, FailureKind, RefusedError
from understudy.mock.replies import Choice, Reply, ToolCall, Usage

_PATHS = {
    "/v1/chat/completions": ("POST", Operation.CHAT),
    "/v1/embeddings": ("POST", Operation.EMBEDDINGS),
    "/v1/models": ("GET", Operation.MODELS),
}
_MODEL_PATH = "/v1/models/"

# Type and code of each error body: https://platform.openai.com/docs/guides/error-codes
_ERRORS: dict[FailureKind, tuple[str, str | None]] = {
    FailureKind.BAD_REQUEST: ("invalid_request_error", None),
    FailureKind.BAD_KEY: ("invalid_request_error", "invalid_api_key"),
    FailureKind.BILLING: ("insufficient_quota", "credit_balance_exhausted"),
    FailureKind.FORBIDDEN: ("invalid_request_error", "permission_denied"),
    FailureKind.MODEL_NOT_FOUND: ("invalid_request_error", "model_not_found"),
    FailureKind.PATH_NOT_FOUND: ("invalid_request_error", None),
    FailureKind.WRONG_METHOD: ("invalid_request_error", "method_not_supported"),
    FailureKind.TOO_LARGE: ("invalid_request_error", "request_too_large"),
    FailureKind.RATE_LIMIT: ("requests", "rate_limit_exceeded"),
    FailureKind.QUOTA: ("insufficient_quota", "insufficient_quota"),
    FailureKind.CONTEXT: ("invalid_request_error", "context_length_exceeded"),
    FailureKind.FILTER: ("invalid_request_error", "content_policy_violation"),
    FailureKind.SERVER_ERROR: ("server_error", None),
    FailureKind.OVERLOADED: ("service_unavailable_error", "server_is_overloaded"),
    FailureKind.OTHER: ("api_error", None),
}
_DONE = b"data: [DONE]\n\n"


class OpenAI:
    """OpenAI's dialect; what each method promises is said in `Dialect`."""

    stream_type = "text/event-stream; charset=utf-8"

    def find(self, method: str, path: str) -> Call:
        """Paths have to be exact: what the vendor would not find is not found here either."""
        allowed, operation = _PATHS.get(path, ("", Operation.MODELS))
        model = ""
        if path.startswith(_MODEL_PATH) and len(path) > len(_MODEL_PATH):
            allowed, operation, model = "GET", Operation.MODEL, unquote(path.removeprefix(_MODEL_PATH))
        if not allowed:
            raise RefusedError(Failure(FailureKind.PATH_NOT_FOUND, 404, _unknown_path(method, path)))
        if method != allowed:
            message = f"Not allowed to {method} on {path} (use {allowed})."
            raise RefusedError(Failure(FailureKind.WRONG_METHOD, 405, message))
        return Call(operation, model)

    def credential(self, headers: Mapping[str, str]) -> str | None:
        """A bearer token, or Azure's `api-key`."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else headers.get("api-key")

    def chat(self, call: Call, body: Any) -> Chat:  # noqa: ARG002 - others have the model in the path
        """Read the body of a chat completion."""
        return openai_requests.read_chat(body)

    def embeddings(self, call: Call, body: Any) -> Embeddings:  # noqa: ARG002 - others have the model in the path
        """Read the body of a request for embeddings."""
        return openai_requests.read_embeddings(body)

    def headers(self, stamp: Stamp) -> dict[str, str]:
        """The request id that SDKs show in their errors."""
        return {
            "content-type": "application/json",
            "x-request-id": f"req-{stamp.name}-{stamp.number}",
            "openai-processing-ms": "1",
        }

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """A `chat.completion`."""
        return orjson.dumps(
            {
                "id": _id(stamp),
                "object": "chat.completion",
                "created": stamp.created,
                "model": chat.model,
                "service_tier": "default",
                "system_fingerprint": None,
                "choices": [_choice(index, choice, stamp) for index, choice in enumerate(reply.choices)],
                "usage": _usage(reply.usage),
            }
        )

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """`chat.completion.chunk` events; several choices take turns."""
        head = orjson.dumps(
            {
                "id": _id(stamp),
                "object": "chat.completion.chunk",
                "created": stamp.created,
                "model": chat.model,
                "service_tier": "default",
                "system_fingerprint": None,
            }
        )[:-1]
        tail = b'],"usage":null}\n\n' if chat.stream_usage else b"]}\n\n"
        deltas = [_deltas(choice, index, stamp) for index, choice in enumerate(reply.choices)]
        frames = [
            (b'data: %b,"choices":[{"index":%d,"delta":' % (head, index), b',"logprobs":null,"finish_reason":%b}%b')
            for index in range(len(reply.choices))
        ]
        going = b',"logprobs":null,"finish_reason":null}' + tail
        opening = tuple(
            start
            + b'{"role":"assistant","content":%b,"refusal":null}' % (b"null" if choice.tool_calls else b'""')
            + going
            for (start, _), choice in zip(frames, reply.choices, strict=True)
        )
        pieces = tuple(
            frames[index][0] + turn[index] + going for turn in zip(*deltas, strict=True) for index in range(len(turn))
        )
        closing = tuple(
            start + b"{}" + end % (orjson.dumps(choice.finish), tail)
            for (start, end), choice in zip(frames, reply.choices, strict=True)
        )
        if chat.stream_usage:
            usage = orjson.dumps(_usage(reply.usage))
            closing += (b'data: %b,"choices":[],"usage":%b}\n\n' % (head, usage),)
        return Stream(opening, pieces, (*closing, _DONE))

    def vectors(self, ask: Embeddings, vectors: Sequence[Sequence[float]]) -> bytes:
        """A list of embeddings, as numbers or base64 as asked."""
        return orjson.dumps(
            {
                "object": "list",
                "model": ask.model,
                "data": [
                    {"object": "embedding", "index": index, "embedding": _base64(vector) if ask.base64 else vector}
                    for index, vector in enumerate(vectors)
                ],
                "usage": {"prompt_tokens": ask.prompt_tokens, "total_tokens": ask.prompt_tokens},
            }
        )

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """A list of `model` objects."""
        return orjson.dumps({"object": "list", "data": [_model(model, stamp) for model in models]})

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """One `model` object."""
        return orjson.dumps(_model(model, stamp))

    def error(self, failure: Failure) -> bytes:
        """`{"error": {message, type, param, code}}`, which is also the form of an error inside a stream."""
        kind, code = _ERRORS[failure.kind]
        return orjson.dumps({"error": {"message": failure.message, "type": kind, "param": failure.param, "code": code}})

    def event(self, content: bytes) -> bytes:
        """One server-sent event of data alone."""
        return b"data: %b\n\n" % content


def _unknown_path(method: str, path: str) -> str:
    message = f"Invalid URL ({method} {path})"
    return message if path.startswith("/v1/") else f"{message}: the base URL has to end in /v1."


def _id(stamp: Stamp) -> str:
    return f"chatcmpl-{stamp.name}-{stamp.number}"


def _choice(index: int, choice: Choice, stamp: Stamp) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(choice.pieces), "refusal": None}
    if choice.tool_calls:
        message["content"] = None
        message["tool_calls"] = [
            _tool_call(call, f"call_{stamp.number}_{index}_{place}", "".join(call.arguments))
            for place, call in enumerate(choice.tool_calls)
        ]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": choice.finish}


def _tool_call(call: ToolCall, call_id: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _deltas(choice: Choice, index: int, stamp: Stamp) -> list[bytes]:
    """Return the deltas with content: text, or for each call its name once and then its arguments in slices."""
    if not choice.tool_calls:
        return [b'{"content":%b}' % orjson.dumps(piece) for piece in choice.pieces]
    deltas: list[dict[str, Any]] = []
    for place, call in enumerate(choice.tool_calls):
        first = {"index": place, **_tool_call(call, f"call_{stamp.number}_{index}_{place}", "")}
        deltas.append({"tool_calls": [first]})
        deltas += [{"tool_calls": [{"index": place, "function": {"arguments": part}}]} for part in call.arguments]
    return [orjson.dumps(delta) for delta in deltas]


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _base64(vector: Sequence[float]) -> str:
    return b64encode(pack(f"<{len(vector)}f", *vector)).decode()


def _model(model: str, stamp: Stamp) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": stamp.created, "owned_by": stamp.name}
