"""The OpenAI wire format: chat completions, embeddings and models, as `/v1` of its API has them.

As strict as the vendor where a gateway could go wrong (types, paths, the order of a stream), and silent about the
fields that change nothing here (temperature, metadata and the like). Custom tools, audio and logprobs are
left out; the Responses API is in `responses`, the older completions in `completions`.
"""

from base64 import b64encode
from collections.abc import Sequence
from struct import pack
from typing import Any
from urllib.parse import unquote

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects import openai_requests
from understudy.mock.dialects.dialect import Dialect, Head, Stamp, bearer, check_method
from understudy.mock.failures import Failure, FailureKind
from understudy.mock.replies import Choice, Finish, Reply, ToolCall, Usage

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
# A refusal is an answer that ends by itself; its words are not in `content`.
_FINISH = {finish: str(finish) for finish in Finish} | {Finish.REFUSAL: "stop"}
_DONE = b"data: [DONE]\n\n"


class OpenAI(Dialect):
    """OpenAI's dialect; what each method promises is said in `Dialect`."""

    thoughts_in = "reasoning_content"
    """Where thoughts are. OpenAI's own are never seen; this name is what DeepSeek and most others have."""

    def find(self, head: Head) -> Call | None:
        """Paths have to be exact: what the vendor would not find is not found here either."""
        path = head.path
        allowed, operation = _PATHS.get(path, ("", Operation.MODELS))
        model = ""
        if path.startswith(_MODEL_PATH) and len(path) > len(_MODEL_PATH):
            allowed, operation, model = "GET", Operation.MODEL, unquote(path.removeprefix(_MODEL_PATH))
        if not allowed:
            return None
        check_method(head, allowed)
        return Call(operation, model)

    def unknown(self, head: Head) -> Failure:
        """Say what is wrong with the base URL."""
        message = f"Invalid URL ({head.method} {head.path})"
        hint = "" if head.path.startswith("/v1/") else ": the base URL has to end in /v1."
        return Failure(FailureKind.PATH_NOT_FOUND, 404, message + hint)

    def credential(self, head: Head) -> str | None:
        """A bearer token, or Azure's `api-key`."""
        return bearer(head.headers) or head.headers.get("api-key")

    def chat(self, call: Call, body: Any) -> Chat:  # noqa: ARG002 - others have the model in the path
        """Read the body of a chat completion."""
        return openai_requests.read_chat(body)

    def embeddings(self, call: Call, body: Any) -> Embeddings:  # noqa: ARG002 - others have the model in the path
        """Read the body of a request for embeddings."""
        return openai_requests.read_embeddings(body)

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:  # noqa: ARG002 - the same for all
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
                "choices": [self._choice(index, choice, stamp) for index, choice in enumerate(reply.choices)],
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
        deltas = [self._deltas(choice, index, stamp) for index, choice in enumerate(reply.choices)]
        frames = [
            (b'data: %b,"choices":[{"index":%d,"delta":' % (head, index), b',"logprobs":null,"finish_reason":%b}%b')
            for index in range(len(reply.choices))
        ]
        going = b',"logprobs":null,"finish_reason":null}' + tail
        opening = tuple(
            start
            + b'{"role":"assistant","content":%b,"refusal":null}' % (b'""' if _has_text(choice) else b"null")
            + going
            for (start, _), choice in zip(frames, reply.choices, strict=True)
        )
        pieces = tuple(
            frames[index][0] + turn[index] + going for turn in zip(*deltas, strict=True) for index in range(len(turn))
        )
        closing = tuple(
            start + b"{}" + end % (orjson.dumps(_FINISH[choice.finish]), tail)
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

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - no id in it
        """`{"error": {message, type, param, code}}`, which is also the form of an error inside a stream."""
        return orjson.dumps({"error": error_of(failure)})

    def _choice(self, index: int, choice: Choice, stamp: Stamp) -> dict[str, Any]:
        text = "".join(choice.pieces)
        refused = choice.finish is Finish.REFUSAL
        message: dict[str, Any] = {
            "role": "assistant",
            "content": text if _has_text(choice) else None,
            "refusal": text if refused else None,
        }
        if choice.thoughts:
            message[self.thoughts_in] = "".join(choice.thoughts)
        if choice.tool_calls:
            message["tool_calls"] = [
                _tool_call(call, f"call_{stamp.number}_{index}_{place}", "".join(call.arguments))
                for place, call in enumerate(choice.tool_calls)
            ]
        return {"index": index, "message": message, "logprobs": None, "finish_reason": _FINISH[choice.finish]}

    def _deltas(self, choice: Choice, index: int, stamp: Stamp) -> list[bytes]:
        """Return the deltas with content: thoughts, text, and for each call its name once, then slices of arguments."""
        texts = b'{"refusal":%b}' if choice.finish is Finish.REFUSAL else b'{"content":%b}'
        deltas = [orjson.dumps({self.thoughts_in: piece}) for piece in choice.thoughts]
        deltas += [texts % orjson.dumps(piece) for piece in choice.pieces]
        for place, call in enumerate(choice.tool_calls):
            first = {"index": place, **_tool_call(call, f"call_{stamp.number}_{index}_{place}", "")}
            deltas.append(orjson.dumps({"tool_calls": [first]}))
            deltas += [
                orjson.dumps({"tool_calls": [{"index": place, "function": {"arguments": part}}]})
                for part in call.arguments
            ]
        return deltas


def error_of(failure: Failure) -> dict[str, str | None]:
    """Return what an error body says of a failure."""
    kind, code = _ERRORS[failure.kind]
    return {"message": failure.message, "type": kind, "param": failure.param, "code": failure.code or code}


def _id(stamp: Stamp) -> str:
    return f"chatcmpl-{stamp.name}-{stamp.number}"


def _has_text(choice: Choice) -> bool:
    """Whether `content` is a text, if an empty one: not for a refusal, and not for tool calls alone."""
    return choice.finish is not Finish.REFUSAL and bool(choice.pieces or not choice.tool_calls)


def _tool_call(call: ToolCall, call_id: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.written_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _base64(vector: Sequence[float]) -> str:
    return b64encode(pack(f"<{len(vector)}f", *vector)).decode()


def _model(model: str, stamp: Stamp) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": stamp.created, "owned_by": stamp.name}
