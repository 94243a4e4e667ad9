"""vLLM's server: OpenAI's format with errors of its own, reasoning in `reasoning`, and models that tell their length.

It has OpenAI's paths, so a mock speaks it only when told to. `GET /health` is the mock's own.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from understudy.mock.asks import Call, Operation
from understudy.mock.dialects.completions import Completions
from understudy.mock.dialects.dialect import Head, Stamp, check_method
from understudy.mock.dialects.openai import OpenAI
from understudy.mock.failures import Failure, FailureKind

_ABOUT = {"/version": "version", "/ping": "ping", "/load": "load"}
_MAX_MODEL_LEN = 8192
_VERSION = "0.11.0"

# The class names of its errors; every other one is known by its status.
_TYPES = {
    FailureKind.CONTEXT: "BadRequestError",
    FailureKind.MODEL_NOT_FOUND: "NotFoundError",
    FailureKind.PATH_NOT_FOUND: "NotFoundError",
    FailureKind.OVERLOADED: "ServiceUnavailableError",
    FailureKind.RATE_LIMIT: "RateLimitError",
}


class VllmErrors(OpenAI):
    """What all of vLLM's forms have in common."""

    words = {
        FailureKind.BAD_KEY: "Unauthorized",
        FailureKind.MODEL_NOT_FOUND: "The model `{model}` does not exist.",
        FailureKind.SERVER_ERROR: "EngineCore encountered an issue. See stack trace (above) for the root cause.",
    }
    thoughts_in = "reasoning"

    def unknown(self, head: Head) -> Failure:  # noqa: ARG002 - it does not tell which
        """FastAPI's answer."""
        return Failure(FailureKind.PATH_NOT_FOUND, 404, "Not Found")

    def bad_key(self, given: str | None) -> Failure:  # noqa: ARG002 - the same for both
        """It says no more than this."""
        return Failure(FailureKind.BAD_KEY, 401, "Unauthorized")

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:  # noqa: ARG002 - no request id
        """JSON and nothing else."""
        return {"content-type": "application/json"}

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - no id in it
        """The type is the name of a class, and the code a number."""
        if failure.kind is FailureKind.BAD_KEY:
            return orjson.dumps({"error": failure.message})
        by_status = "InternalServerError" if failure.status >= 500 else "BadRequestError"
        kind = _TYPES.get(failure.kind, by_status)
        error = {"message": failure.message, "type": kind, "param": failure.param, "code": failure.status}
        return orjson.dumps({"error": error})

    def error_event(self, call: Call, failure: Failure, stamp: Stamp, *, first: bool) -> bytes:
        """After an error within a stream comes its usual end."""
        return super().error_event(call, failure, stamp, first=first) + b"data: [DONE]\n\n"


class Vllm(VllmErrors):
    """Chat, embeddings, models, and what the server tells of itself."""

    def find(self, head: Head) -> Call | None:
        """OpenAI's paths, and some more."""
        if head.path not in _ABOUT:
            return super().find(head)
        check_method(head, "GET")
        return Call(Operation.ABOUT, variant=_ABOUT[head.path])

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """Models with their longest context."""
        return orjson.dumps({"object": "list", "data": [_card(model, stamp) for model in models]})

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """One such model."""
        return orjson.dumps(_card(model, stamp))

    def about(self, call: Call, models: Sequence[str], stamp: Stamp) -> bytes:  # noqa: ARG002 - no model in it
        """The version, the load, or nothing at all."""
        return {"version": orjson.dumps({"version": _VERSION}), "load": b'{"server_load":0}', "ping": b""}[call.variant]


class VllmCompletions(VllmErrors, Completions):
    """Completions, with vLLM's errors."""


def _card(model: str, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": model,
        "object": "model",
        "created": stamp.created,
        "owned_by": "vllm",
        "root": model,
        "parent": None,
        "max_model_len": _MAX_MODEL_LEN,
        "permission": [],
    }
