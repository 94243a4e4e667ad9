"""Anthropic's wire format: the Messages API, the count of tokens, and the list of models.

Both versions of the API. Batches, files, citations, and tools that the vendor runs itself are left out.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import orjson

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects import anthropic_answers
from understudy.mock.dialects.anthropic_requests import VERSIONS, read_messages
from understudy.mock.dialects.dialect import Dialect, Head, Stamp, bearer, check_method
from understudy.mock.failures import Failure, FailureKind, bad_request
from understudy.mock.replies import Reply

_VERSION = "anthropic-version"
_MESSAGES = {"/v1/messages": Operation.CHAT, "/v1/messages/count_tokens": Operation.COUNT}
_MODELS = "/v1/models"

# https://platform.claude.com/docs/en/api/errors
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# Limits of a mock that never reaches them, by the names the headers have.
_LIMITS = {"requests": 4000, "tokens": 480000, "input-tokens": 400000, "output-tokens": 80000}


class Anthropic(Dialect):
    """Anthropic's dialect; what each method promises is said in `Dialect`."""

    words: Mapping[FailureKind, str] = {
        FailureKind.BAD_KEY: "invalid x-api-key",
        FailureKind.BILLING: "Your credit balance is too low to access the Anthropic API.",
        FailureKind.FORBIDDEN: "Your API key does not have permission to use the specified resource.",
        FailureKind.MODEL_NOT_FOUND: "model: {model}",
        FailureKind.TOO_LARGE: "Request exceeds the maximum size",
        FailureKind.RATE_LIMIT: "This request would exceed your organization's rate limit. Please try again later.",
        FailureKind.QUOTA: "You have reached your specified API usage limits.",
        FailureKind.CONTEXT: "prompt is too long: 9000 tokens > 8192 maximum",
        FailureKind.FILTER: "Output blocked by content filtering policy",
        FailureKind.OVERLOADED: "Overloaded",
        FailureKind.SERVER_ERROR: "Internal server error",
    }

    def find(self, head: Head) -> Call | None:
        """`/v1/models` is Anthropic's only with its version header: others have the same path."""
        version = head.headers.get(_VERSION)
        operation = _MESSAGES.get(head.path)
        if operation is None:
            return _models_call(head) if version is not None else None
        check_method(head, "POST")
        if version is None:
            raise bad_request(f"{_VERSION}: header is required", param=_VERSION)
        if version not in VERSIONS:
            raise bad_request(f'{_VERSION}: "{version}" is not a valid version', param=_VERSION)
        return Call(operation, variant=version)

    def credential(self, head: Head) -> str | None:
        """`x-api-key`, which wins where both are there, or a bearer token."""
        return head.headers.get("x-api-key") or bearer(head.headers)

    def bad_key(self, given: str | None) -> Failure:
        """The vendor does not tell a wrong key from a good one of somebody else."""
        message = "invalid x-api-key" if given else "x-api-key header is required"
        return Failure(FailureKind.BAD_KEY, 401, message)

    def chat(self, call: Call, body: Any) -> Chat:
        """Read the body of a message, or of one to count."""
        return read_messages(call, body)

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:
        """The request id that SDKs show in their errors, and what is left of each limit."""
        reset = datetime.fromtimestamp(stamp.created + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = {
            "content-type": "application/json",
            "request-id": _request_id(stamp),
            "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
        }
        if call is not None and call.operation is Operation.CHAT:
            for name, limit in _LIMITS.items():
                made[f"anthropic-ratelimit-{name}-limit"] = str(limit)
                made[f"anthropic-ratelimit-{name}-remaining"] = str(limit - 1)
                made[f"anthropic-ratelimit-{name}-reset"] = reset
        return made

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """A `message`."""
        return orjson.dumps(anthropic_answers.message(chat, reply, stamp))

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """Named events."""
        return anthropic_answers.events(chat, reply, stamp)

    def size(self, chat: Chat) -> bytes:
        """`{"input_tokens": N}`."""
        return orjson.dumps({"input_tokens": chat.prompt_tokens})

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """One page of models."""
        return orjson.dumps(
            {
                "data": [_model(model, stamp) for model in models],
                "has_more": False,
                "first_id": models[0],
                "last_id": models[-1],
            }
        )

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """One model."""
        return orjson.dumps(_model(model, stamp))

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - the same for all
        """An `error`, which is also the form of one inside a stream."""
        otherwise = "api_error" if failure.status >= 500 else "invalid_request_error"
        kind = "overloaded_error" if failure.kind is FailureKind.OVERLOADED else _ERRORS.get(failure.status, otherwise)
        error: dict[str, Any] = {"type": kind, "message": failure.message}
        if failure.kind is FailureKind.QUOTA:
            error["details"] = {"error_code": "enforced_spend_limit_reached"}
        return orjson.dumps({"type": "error", "error": error, "request_id": _request_id(stamp)})

    def error_headers(self, failure: Failure) -> dict[str, str]:
        """Who is refused for the rate has no request left."""
        spent = {"anthropic-ratelimit-requests-remaining": "0"} if failure.kind is FailureKind.RATE_LIMIT else {}
        return spent | dict(failure.retry)

    def error_event(self, call: Call, failure: Failure, stamp: Stamp, *, first: bool) -> bytes:  # noqa: ARG002
        """An event named `error`."""
        return anthropic_answers.named("error", self.error(call, failure, stamp))

    def event(self, call: Call, content: bytes, *, first: bool) -> bytes:  # noqa: ARG002 - the same for all
        """An event named as content is."""
        return anthropic_answers.named("content_block_delta", content)


def _request_id(stamp: Stamp) -> str:
    return f"req_{stamp.name}_{stamp.number}"


def _model(model: str, stamp: Stamp) -> dict[str, Any]:
    created = datetime.fromtimestamp(stamp.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": model, "display_name": model, "created_at": created}


def _models_call(head: Head) -> Call | None:
    if head.path != _MODELS and not head.path.startswith(f"{_MODELS}/"):
        return None
    check_method(head, "GET")
    model = unquote(head.path.removeprefix(_MODELS).removeprefix("/"))
    return Call(Operation.MODEL, model) if model else Call(Operation.MODELS)
