"""llama.cpp's server: OpenAI's format with errors of its own, timings, and what it tells of its slots.

It serves one model, under whatever name a request has, and keeps a waiting client awake with comments. It has
OpenAI's paths, so a mock speaks it only when told to. `GET /health` is the mock's own.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects.completions import Completions
from understudy.mock.dialects.dialect import Head, Stamp, check_method
from understudy.mock.dialects.openai import OpenAI
from understudy.mock.failures import Failure, FailureKind
from understudy.mock.replies import Reply

_ABOUT = {"/props": "props", "/slots": "slots", "/v1/health": "health"}
_ANY_MODEL = "gpt-3.5-turbo"
"""What a response names where the request does not name a model."""
_CONTEXT = 8192
_SLOTS = 4
_TYPES = {
    FailureKind.BAD_KEY: "authentication_error",
    FailureKind.FORBIDDEN: "permission_error",
    FailureKind.MODEL_NOT_FOUND: "not_found_error",
    FailureKind.PATH_NOT_FOUND: "not_found_error",
    FailureKind.CONTEXT: "exceed_context_size_error",
    FailureKind.OVERLOADED: "unavailable_error",
}


class LlamaCppErrors(OpenAI):
    """What all of llama.cpp's forms have in common."""

    words = {
        FailureKind.BAD_KEY: "Invalid API Key",
        FailureKind.CONTEXT: "the request exceeds the available context size, try increasing it",
        FailureKind.OVERLOADED: "Loading model",
    }

    def unknown(self, head: Head) -> Failure:  # noqa: ARG002 - it does not tell which
        """Its answer to every path it has not."""
        return Failure(FailureKind.PATH_NOT_FOUND, 404, "File Not Found")

    def bad_key(self, given: str | None) -> Failure:  # noqa: ARG002 - the same for both
        """A wrong key and none at all are answered alike."""
        return Failure(FailureKind.BAD_KEY, 401, "Invalid API Key")

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:  # noqa: ARG002 - no request id
        """JSON and nothing else."""
        return {"content-type": "application/json; charset=utf-8"}

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - no id in it
        """The code is a number."""
        kind = _TYPES.get(failure.kind, "server_error" if failure.status >= 500 else "invalid_request_error")
        error: dict[str, Any] = {"code": failure.status, "message": failure.message, "type": kind}
        if failure.kind is FailureKind.CONTEXT:
            error |= {"n_prompt_tokens": _CONTEXT + 1, "n_ctx": _CONTEXT}
        return orjson.dumps({"error": error})


class LlamaCpp(LlamaCppErrors):
    """Chat, embeddings, models, and what the server tells of itself."""

    def find(self, head: Head) -> Call | None:
        """OpenAI's paths, and some more."""
        if head.path not in _ABOUT:
            return super().find(head)
        check_method(head, "GET")
        return Call(Operation.ABOUT, variant=_ABOUT[head.path])

    def chat(self, call: Call, body: Any) -> Chat:
        """The model need not be named: there is but one."""
        return super().chat(call, {"model": _ANY_MODEL} | body if isinstance(body, dict) else body)

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """A `chat.completion` that tells how long it took."""
        return orjson.dumps(orjson.loads(super().answer(chat, reply, stamp)) | _timings(reply))

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """A comment while the prompt is read, then as OpenAI has it; the last chunk tells how long it took."""
        stream = super().stream(chat, reply, stamp)
        *before, last, done = stream.closing
        timed = orjson.loads(last.removeprefix(b"data: ")) | _timings(reply)
        return Stream(
            (b":\n\n", *stream.opening), stream.pieces, (*before, b"data: %b\n\n" % orjson.dumps(timed), done)
        )

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """Models with the size of their context."""
        return orjson.dumps({"object": "list", "data": [_model(model, stamp) for model in models]})

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """One such model."""
        return orjson.dumps(_model(model, stamp))

    def about(self, call: Call, models: Sequence[str], stamp: Stamp) -> bytes:  # noqa: ARG002 - no time in it
        """Its properties, its slots, or that it is well."""
        if call.variant == "health":
            return orjson.dumps({"status": "ok"})
        if call.variant == "slots":
            slots = [{"id": slot, "n_ctx": _CONTEXT, "is_processing": False} for slot in range(_SLOTS)]
            return orjson.dumps(slots)
        return orjson.dumps(
            {
                "default_generation_settings": {"n_ctx": _CONTEXT},
                "total_slots": _SLOTS,
                "model_path": f"/models/{models[0]}.gguf",
                "modalities": {"vision": True, "audio": False},
                "chat_template": "{{ messages }}",
            }
        )


class LlamaCppCompletions(LlamaCppErrors, Completions):
    """Completions, with llama.cpp's errors."""


def _timings(reply: Reply) -> dict[str, Any]:
    """Return how long an answer took, at a millisecond a token."""
    prompt, predicted = reply.usage.prompt_tokens, reply.usage.completion_tokens
    return {"timings": {"prompt_n": prompt, "prompt_ms": prompt, "predicted_n": predicted, "predicted_ms": predicted}}


def _model(model: str, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": model,
        "object": "model",
        "created": stamp.created,
        "owned_by": "llamacpp",
        "meta": {"vocab_type": 2, "n_vocab": 128256, "n_ctx": _CONTEXT, "n_ctx_train": 131072, "n_embd": 4096},
    }
