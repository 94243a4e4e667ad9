"""Ollama's own wire format, under `/api`: chat, generate, embeddings, and what it tells of its models.

A stream is one JSON object a line, and so is an error within it. Its OpenAI-compatible paths under `/v1` belong to
`openai`; pulling, pushing and making models are left out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Embeddings, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects.dialect import Dialect, Head, Stamp, bearer, check_method
from understudy.mock.dialects.ollama_requests import LOAD, STILL, read_chat, read_embed, read_generate, read_model
from understudy.mock.failures import Failure, FailureKind
from understudy.mock.replies import Choice, Finish, Reply, ToolCall

_PATHS = {
    "/api/chat": ("POST", Operation.CHAT, "chat"),
    "/api/generate": ("POST", Operation.CHAT, "generate"),
    "/api/embed": ("POST", Operation.EMBEDDINGS, "embed"),
    "/api/embeddings": ("POST", Operation.EMBEDDINGS, "embeddings"),
    "/api/tags": ("GET", Operation.MODELS, ""),
    "/api/show": ("POST", Operation.MODEL, ""),
    "/api/ps": ("GET", Operation.ABOUT, "ps"),
    "/api/version": ("GET", Operation.ABOUT, "version"),
    "/": ("GET", Operation.ABOUT, "running"),
}
_VERSION = "0.13.0"
_DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "8.0B",
    "quantization_level": "Q4_K_M",
}
_BYTES = 4_920_753_328
_CONTEXT = 8192
_KEPT_SECONDS = 300
_NANOSECONDS_A_TOKEN = 1_000_000
_DONE_REASONS = dict.fromkeys(Finish, "stop") | {Finish.LENGTH: "length"}


class Ollama(Dialect):
    """Ollama's dialect; what each method promises is said in `Dialect`."""

    words = {
        FailureKind.BAD_KEY: "unauthorized",
        FailureKind.MODEL_NOT_FOUND: "model '{model}' not found",
        FailureKind.CONTEXT: "the input length exceeds the context length",
        FailureKind.SERVER_ERROR: "llama runner process has terminated: exit status 2",
        FailureKind.OVERLOADED: "server busy, please try again.  maximum pending requests exceeded",
    }

    def find(self, head: Head) -> Call | None:
        """`GET /` and `HEAD /` tell that it runs: the usual probe."""
        if head.path not in _PATHS:
            return None
        allowed, operation, variant = _PATHS[head.path]
        if head.method != "HEAD" or allowed != "GET":
            check_method(head, allowed)
        return Call(operation, variant=variant)

    def unknown(self, head: Head) -> Failure:  # noqa: ARG002 - it does not tell which
        """Gin's answer."""
        return Failure(FailureKind.PATH_NOT_FOUND, 404, "404 page not found")

    def credential(self, head: Head) -> str | None:
        """Ollama wants no key, but who puts a proxy in front of it sends a bearer token."""
        return bearer(head.headers)

    def bad_key(self, given: str | None) -> Failure:  # noqa: ARG002 - the same for both
        """The answer of its cloud."""
        return Failure(FailureKind.BAD_KEY, 401, "unauthorized")

    def model_of(self, call: Call, body: Any) -> str:  # noqa: ARG002 - it is in the body
        """Read the body of `POST /api/show`."""
        return read_model(body)

    def chat(self, call: Call, body: Any) -> Chat:
        """Read the body of a chat or a completion."""
        return read_chat(call, body) if call.variant == "chat" else read_generate(call, body)

    def embeddings(self, call: Call, body: Any) -> Embeddings:
        """Read the body of a request for embeddings."""
        return read_embed(call, body)

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:  # noqa: ARG002 - no request id
        """JSON, but for the word that it runs."""
        plain = call is not None and call.variant == "running"
        return {"content-type": f"{'text/plain' if plain else 'application/json'}; charset=utf-8"}

    def stream_type(self, call: Call) -> str:  # noqa: ARG002 - the same for all
        """One JSON object a line."""
        return "application/x-ndjson"

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """All that a stream says, in one object; of a request that only loads, that it did."""
        if chat.variant.endswith(LOAD):
            return orjson.dumps(_line(chat, stamp, "") | {"done": True, "done_reason": "load"})
        choice = reply.choices[0]
        message = _line(chat, stamp, "".join(choice.pieces), thinking="".join(_thoughts(chat, choice)))
        if choice.tool_calls:
            message["message"]["tool_calls"] = [
                _tool_call(call, place, stamp) for place, call in enumerate(choice.tool_calls)
            ]
        return orjson.dumps(message | _ending(chat, reply))

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """A line each thought, word and call, and one that tells why it ends and what it took."""
        choice = reply.choices[0]
        lines = [_line(chat, stamp, "", thinking=piece) for piece in _thoughts(chat, choice)]
        lines += [_line(chat, stamp, piece) for piece in choice.pieces]
        for place, call in enumerate(choice.tool_calls):
            line = _line(chat, stamp, "")
            line["message"]["tool_calls"] = [_tool_call(call, place, stamp)]
            lines.append(line)
        last = _line(chat, stamp, "") | _ending(chat, reply)
        return Stream((), tuple(orjson.dumps(line) + b"\n" for line in lines), (orjson.dumps(last) + b"\n",))

    def vectors(self, ask: Embeddings, vectors: Sequence[Sequence[float]]) -> bytes:
        """All vectors; for the older path, the only one."""
        if ask.variant == "embeddings":
            return orjson.dumps({"embedding": vectors[0]})
        took = {"total_duration": _NANOSECONDS_A_TOKEN, "load_duration": 1, "prompt_eval_count": ask.prompt_tokens}
        return orjson.dumps({"model": ask.model, "embeddings": vectors, **took})

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """The models that are installed."""
        modified = {"modified_at": _time(stamp.created)}
        return orjson.dumps({"models": [_model(model) | modified for model in models]})

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """What `ollama show` shows."""
        return orjson.dumps(
            {
                "modelfile": f"FROM {model}",
                "parameters": f"num_ctx {_CONTEXT}",
                "template": "{{ .Prompt }}",
                "details": _DETAILS,
                "model_info": {"general.architecture": "llama", "llama.context_length": _CONTEXT},
                "capabilities": ["completion", "tools", "vision", "thinking"],
                "modified_at": _time(stamp.created),
            }
        )

    def about(self, call: Call, models: Sequence[str], stamp: Stamp) -> bytes:
        """The models that are loaded, which are all; the version; or that it runs."""
        if call.variant == "running":
            return b"Ollama is running"
        if call.variant == "version":
            return orjson.dumps({"version": _VERSION})
        loaded = {"expires_at": _time(stamp.created + _KEPT_SECONDS), "size_vram": _BYTES, "context_length": _CONTEXT}
        return orjson.dumps({"models": [_model(model) | loaded for model in models]})

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - no id in it
        """`{"error": TEXT}`."""
        return orjson.dumps({"error": failure.message})

    def event(self, call: Call, content: bytes, *, first: bool) -> bytes:  # noqa: ARG002 - the same for all
        """One line."""
        return content + b"\n"


def _line(chat: Chat, stamp: Stamp, text: str, *, thinking: str = "") -> dict[str, Any]:
    """Return one object of an answer that goes on."""
    line: dict[str, Any] = {"model": chat.model, "created_at": _time(stamp.created)}
    thought = {"thinking": thinking} if thinking else {}
    if chat.variant.startswith("chat"):
        return line | {"message": {"role": "assistant", "content": text} | thought, "done": False}
    return line | {"response": text} | thought | {"done": False}


def _ending(chat: Chat, reply: Reply) -> dict[str, Any]:
    """Return why an answer ends and what it took; times are nanoseconds."""
    usage = reply.usage
    said = usage.completion_tokens - (usage.reasoning_tokens if chat.variant.endswith(STILL) else 0)
    ending: dict[str, Any] = {"done": True, "done_reason": _DONE_REASONS[reply.choices[0].finish]}
    if chat.variant.startswith("generate"):
        ending["context"] = [1, 2, 3]
    return ending | {
        "total_duration": _NANOSECONDS_A_TOKEN * (usage.prompt_tokens + said),
        "load_duration": _NANOSECONDS_A_TOKEN,
        "prompt_eval_count": usage.prompt_tokens,
        "prompt_eval_duration": _NANOSECONDS_A_TOKEN * usage.prompt_tokens,
        "eval_count": said,
        "eval_duration": _NANOSECONDS_A_TOKEN * said,
    }


def _thoughts(chat: Chat, choice: Choice) -> tuple[str, ...]:
    """Return what is thought, which is nothing where `think` is false."""
    return () if chat.variant.endswith(STILL) else choice.thoughts


def _tool_call(call: ToolCall, place: int, stamp: Stamp) -> dict[str, Any]:
    """Return a call; its arguments are an object, not a text."""
    function = {"index": place, "name": call.name, "arguments": orjson.loads("".join(call.arguments))}
    return {"id": f"call_{stamp.number}_{place}", "function": function}


def _model(model: str) -> dict[str, Any]:
    digest = sha256(model.encode()).hexdigest()
    return {"name": model, "model": model, "size": _BYTES, "digest": digest, "details": _DETAILS}


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
