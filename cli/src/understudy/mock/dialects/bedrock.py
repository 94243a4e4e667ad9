"""Amazon Bedrock's wire format: Converse, in one piece and as an event stream, and the count of tokens.

InvokeModel, whose bodies are those of each model's vendor, is left out.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from uuid import NAMESPACE_OID, uuid5

import orjson

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects import bedrock_answers, event_stream
from understudy.mock.dialects.bedrock_credentials import access_key, check_scope
from understudy.mock.dialects.bedrock_requests import read_converse, read_counted
from understudy.mock.dialects.dialect import Dialect, Head, Stamp, check_method
from understudy.mock.failures import Failure, FailureKind, RefusedError, bad_request
from understudy.mock.replies import Reply

_PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream|count-tokens)")
_COUNTED = "count-tokens"
_STREAMED = "converse-stream"
# Counting is for models, not for the profiles that spread requests over regions.
_PROFILES = ("us.", "us-gov.", "eu.", "apac.", "au.", "jp.", "ca.", "global.")

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
_TYPES = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    405: "UnknownOperationException",
    408: "ModelTimeoutException",
    413: "ValidationException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
    529: "ServiceUnavailableException",
}
# Those that an event stream can bring.
_IN_STREAMS = {
    400: "validationException",
    424: "modelStreamErrorException",
    429: "throttlingException",
    503: "serviceUnavailableException",
    529: "serviceUnavailableException",
}


class Bedrock(Dialect):
    """Bedrock's dialect; what each method promises is said in `Dialect`."""

    words: Mapping[FailureKind, str] = {
        FailureKind.BAD_KEY: "The security token included in the request is invalid.",
        FailureKind.FORBIDDEN: "You don't have access to the model with the specified model ID.",
        FailureKind.MODEL_NOT_FOUND: "Could not resolve the foundation model from the model identifier: {model}",
        FailureKind.RATE_LIMIT: "Too many requests, please wait before trying again.",
        FailureKind.QUOTA: "Too many tokens per day, please wait before trying again.",
        FailureKind.CONTEXT: "The model returned the following errors: Input is too long for requested model.",
        FailureKind.FILTER: "The model returned the following errors: Output blocked by content filtering policy",
        FailureKind.SERVER_ERROR: "The system encountered an unexpected error during processing.",
        FailureKind.OVERLOADED: "Bedrock is unable to process your request.",
    }

    def find(self, head: Head) -> Call | None:
        """A model's id is one segment of the path, encoded."""
        if not head.path.startswith("/model/"):
            return None
        found = _PATH.fullmatch(head.path)
        if found is None:
            raise RefusedError(self.unknown(head))
        check_method(head, "POST")
        check_scope(head.headers)
        model, operation = unquote(found[1]), found[2]
        if operation == _COUNTED and model.startswith(_PROFILES):
            raise bad_request("The provided model doesn't support counting tokens.")
        return Call(Operation.COUNT if operation == _COUNTED else Operation.CHAT, model, operation)

    def credential(self, head: Head) -> str | None:
        """The id of the access key that signed the request, or a Bedrock API key."""
        return access_key(head.headers)

    def bad_key(self, given: str | None) -> Failure:
        """AWS says 403 to both a wrong key and none."""
        message = self.words[FailureKind.BAD_KEY] if given else "Missing Authentication Token"
        return Failure(FailureKind.BAD_KEY, 403, message, code="UnrecognizedClientException")

    def chat(self, call: Call, body: Any) -> Chat:
        """Read the body of a conversation, or of one to count."""
        if call.operation is Operation.COUNT:
            return read_counted(call, body)
        return read_converse(call, body, stream=call.variant == _STREAMED)

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:  # noqa: ARG002 - the same for all
        """The request id, which has the form of a UUID."""
        request_id = str(uuid5(NAMESPACE_OID, f"{stamp.name}/{stamp.number}"))
        return {"content-type": "application/json", "x-amzn-requestid": request_id}

    def stream_type(self, call: Call) -> str:  # noqa: ARG002 - the same for all
        """AWS's own."""
        return event_stream.CONTENT_TYPE

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:  # noqa: ARG002 - no model and no time in it
        """The `output`, without id and model."""
        return orjson.dumps(bedrock_answers.output(reply, stamp))

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:  # noqa: ARG002 - no model and no time in it
        """Frames with one event each."""
        return bedrock_answers.events(reply, stamp)

    def size(self, chat: Chat) -> bytes:
        """`{"inputTokens": N}`."""
        return orjson.dumps({"inputTokens": chat.prompt_tokens})

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - the type is a header
        """A message alone: the type of an error is in a header."""
        return orjson.dumps({"message": failure.message})

    def error_headers(self, failure: Failure) -> dict[str, str]:
        """The type of an error, after which AWS puts a colon and where it is from."""
        return {"x-amzn-ErrorType": f"{_type_of(failure)}:http://internal.amazon.com/coral/"} | dict(failure.retry)

    def error_event(self, call: Call, failure: Failure, stamp: Stamp, *, first: bool) -> bytes:  # noqa: ARG002
        """A frame with an exception of the stream's model, or an error with the same code where there is none."""
        kind = _IN_STREAMS.get(failure.status, "internalServerException" if failure.status >= 500 else None)
        if kind is None:
            return event_stream.error(_type_of(failure), failure.message)
        return event_stream.exception(kind, self.error(call, failure, stamp))

    def event(self, call: Call, content: bytes, *, first: bool) -> bytes:  # noqa: ARG002 - the same for all
        """A good frame around whatever it is."""
        return event_stream.event("contentBlockDelta", content)

    def unknown(self, head: Head) -> Failure:
        """A path that is no operation."""
        return Failure(
            FailureKind.PATH_NOT_FOUND, 404, f"There is no operation {head.path}.", code="UnknownOperationException"
        )


def _type_of(failure: Failure) -> str:
    otherwise = "InternalServerException" if failure.status >= 500 else "ValidationException"
    return failure.code or _TYPES.get(failure.status, otherwise)
