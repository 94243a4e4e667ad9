"""Azure OpenAI: OpenAI's formats at Azure's paths, with its errors and its content filter.

    /openai/deployments/M/chat/completions?api-version=…     the model is the deployment in the path
    /openai/v1/chat/completions                              the model is in the body, and no version is needed

A stream of chat begins with a chunk without choices, which tells what the filter found in the prompt.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import orjson

from understudy.mock.asks import Call, Chat, Embeddings
from understudy.mock.delivery import Stream
from understudy.mock.dialects.azure_errors import WORDS, error_body
from understudy.mock.dialects.dialect import Dialect, Head, Stamp, bearer
from understudy.mock.failures import Failure, FailureKind, RefusedError
from understudy.mock.replies import Reply

_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)/(chat/completions|completions|embeddings)")
_V1 = "/openai/v1/"
_RESPONSES = "/openai/responses"
_NOT_FOUND = Failure(FailureKind.PATH_NOT_FOUND, 404, "Resource not found")

_SAFE = {category: {"filtered": False, "severity": "safe"} for category in ("hate", "self_harm", "sexual", "violence")}
_PROMPT_RESULTS = [
    {"prompt_index": 0, "content_filter_results": _SAFE | {"jailbreak": {"filtered": False, "detected": False}}}
]
# Azure leaves everything else in this chunk blank.
_PROMPT_CHUNK = {
    "choices": [],
    "created": 0,
    "id": "",
    "model": "",
    "object": "",
    "prompt_filter_results": _PROMPT_RESULTS,
}


class Azure(Dialect):
    """One of OpenAI's forms, as Azure has it; what each method promises is said in `Dialect`."""

    words = WORDS

    def __init__(self, form: Dialect) -> None:
        self._form = form

    def find(self, head: Head) -> Call | None:
        """Ask the form about the path that OpenAI has for it."""
        deployment = _DEPLOYMENT.fullmatch(head.path)
        if deployment:
            call = self._form.find(Head(head.method, f"/v1/{deployment[2]}", head.headers))
            call = call and replace(call, model=unquote(deployment[1]))
        elif head.path == _RESPONSES:
            call = self._form.find(Head(head.method, "/v1/responses", head.headers))
        elif head.path.startswith(_V1):
            return self._form.find(Head(head.method, head.path.removeprefix("/openai"), head.headers))
        else:
            return None
        if call and not head.query.get("api-version"):
            raise RefusedError(_NOT_FOUND)
        return call

    def unknown(self, head: Head) -> Failure:  # noqa: ARG002 - it does not tell which
        """Azure does not say what it looked for."""
        return _NOT_FOUND

    def credential(self, head: Head) -> str | None:
        """A key, or a token of Entra ID."""
        return head.headers.get("api-key") or bearer(head.headers)

    def bad_key(self, given: str | None) -> Failure:  # noqa: ARG002 - the same for both
        """A wrong key and none at all are answered alike."""
        return Failure(FailureKind.BAD_KEY, 401, WORDS[FailureKind.BAD_KEY])

    def chat(self, call: Call, body: Any) -> Chat:
        """Read what the form reads; a model in the body says nothing where the path has one."""
        return self._form.chat(call, _with_model(body, call))

    def embeddings(self, call: Call, body: Any) -> Embeddings:
        """Read a request for vectors."""
        return self._form.embeddings(call, _with_model(body, call))

    def headers(self, call: Call | None, stamp: Stamp) -> dict[str, str]:  # noqa: ARG002 - the same for all
        """The ids of the gateway in front of Azure, and the region."""
        number = f"{stamp.name}-{stamp.number}"
        return {
            "content-type": "application/json",
            "apim-request-id": f"apim-{number}",
            "x-request-id": f"req-{number}",
            "x-ms-region": "East US",
        }

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """The form's own answer."""
        return self._form.answer(chat, reply, stamp)

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """The form's own stream."""
        return self._form.stream(chat, reply, stamp)

    def vectors(self, ask: Embeddings, vectors: Sequence[Sequence[float]]) -> bytes:
        """The form's own vectors."""
        return self._form.vectors(ask, vectors)

    def model_list(self, models: Sequence[str], stamp: Stamp) -> bytes:
        """The form's own list."""
        return self._form.model_list(models, stamp)

    def model_entry(self, model: str, stamp: Stamp) -> bytes:
        """The form's own model."""
        return self._form.model_entry(model, stamp)

    def error(self, call: Call | None, failure: Failure, stamp: Stamp) -> bytes:  # noqa: ARG002 - no id in it
        """Most errors have a code and a message alone."""
        return orjson.dumps(error_body(failure))

    def error_headers(self, failure: Failure) -> dict[str, str]:
        """When to come back, also by Azure's own name for milliseconds."""
        retry = dict(failure.retry)
        if "retry-after-ms" in retry:
            retry["x-ms-retry-after-ms"] = retry["retry-after-ms"]
        return retry

    def error_event(self, call: Call, failure: Failure, stamp: Stamp, *, first: bool) -> bytes:
        """Within a stream an error is OpenAI's."""
        return self._form.error_event(call, failure, stamp, first=first)


class AzureChat(Azure):
    """Chat completions, in which Azure tells what its content filter found."""

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """Findings on the prompt, and on each choice."""
        answer = orjson.loads(super().answer(chat, reply, stamp))
        answer["prompt_filter_results"] = _PROMPT_RESULTS
        answer["choices"] = [choice | {"content_filter_results": _SAFE} for choice in answer["choices"]]
        return orjson.dumps(answer)

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """Findings on the prompt before all else, and on each piece with it."""
        stream = super().stream(chat, reply, stamp)
        return Stream(
            (_event(_PROMPT_CHUNK), *(_with_results(event, {}) for event in stream.opening)),
            tuple(_with_results(event, _SAFE) for event in stream.pieces),
            tuple(_with_results(event, {}) for event in stream.closing),
        )


def _with_model(body: Any, call: Call) -> Any:
    return body | {"model": call.model} if call.model and isinstance(body, dict) else body


def _with_results(event: bytes, results: dict[str, Any]) -> bytes:
    """Put the filter's findings into each choice of a chunk; what is no chunk stays as it is."""
    content = event.removeprefix(b"data: ")
    if not content.startswith(b"{"):
        return event
    chunk = orjson.loads(content)
    chunk["choices"] = [choice | {"content_filter_results": results} for choice in chunk["choices"]]
    return _event(chunk)


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(chunk)
