"""Azure OpenAI: deployments in paths, the content filter's findings, and errors with a code and a message."""

import json
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.dialects import DIALECTS, Dialect, Head, Stamp
from understudy.mock.dialects.azure import AzureChat
from understudy.mock.dialects.openai import OpenAI
from understudy.mock.failures import Failure, FailureKind, RefusedError, scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings

AZURE = AzureChat(OpenAI())
STAMP = Stamp("ada", 7, 1700000000)
VERSION = "?api-version=2024-10-21"
DEPLOYMENT = "/openai/deployments/my%2Dgpt"
HI = [{"role": "user", "content": "Hi"}]


def found(method: str, target: str) -> Call | None:
    """Return what the first of Azure's forms that knows the path makes of it."""
    calls = (form.find(Head(method, target, {})) for form in DIALECTS["azure"])
    return next((call for call in calls if call), None)


def read(**body: Any) -> Chat:
    """Read a chat with a deployment."""
    return AZURE.chat(Call(Operation.CHAT, "my-gpt"), {"messages": HI, **body})


def events(ask: Chat) -> list[Any]:
    """Return the chunks of the answer as a stream."""
    stream = AZURE.stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    told = b"".join((*stream.opening, *stream.pieces, *stream.closing)).decode().split("\n\n")[:-1]
    assert "data: [DONE]" == told.pop()
    return [json.loads(event.removeprefix("data: ")) for event in told]


@pytest.mark.parametrize(
    ("method", "target", "call"),
    [
        pytest.param(
            "POST", f"{DEPLOYMENT}/chat/completions{VERSION}", Call(Operation.CHAT, "my-gpt"), id="a deployment"
        ),
        pytest.param("POST", f"{DEPLOYMENT}/completions{VERSION}", Call(Operation.CHAT, "my-gpt"), id="completions"),
        pytest.param(
            "POST", f"{DEPLOYMENT}/embeddings{VERSION}", Call(Operation.EMBEDDINGS, "my-gpt"), id="embeddings"
        ),
        pytest.param("POST", f"/openai/responses{VERSION}", Call(Operation.CHAT), id="responses"),
        pytest.param("POST", "/openai/v1/chat/completions", Call(Operation.CHAT), id="v1 without a version"),
        pytest.param("POST", "/openai/v1/responses", Call(Operation.CHAT), id="responses in v1"),
        pytest.param("GET", "/openai/v1/models", Call(Operation.MODELS), id="models in v1"),
        pytest.param("POST", f"{DEPLOYMENT}/responses{VERSION}", None, id="no responses of a deployment"),
        pytest.param("POST", "/v1/chat/completions", None, id="OpenAI's path"),
    ],
)
def test_paths(method: str, target: str, call: Call | None) -> None:
    """The model is in the path of a deployment, and in the body elsewhere."""
    assert call == found(method, target)


@pytest.mark.parametrize("target", [f"{DEPLOYMENT}/chat/completions", "/openai/responses?api-version="])
def test_a_version_is_needed(target: str) -> None:
    """Without api-version there is nothing there."""
    with pytest.raises(RefusedError) as refused:
        found("POST", target)
    assert (404, "Resource not found") == (refused.value.failure.status, refused.value.failure.message)


def test_the_model_in_the_body_says_nothing() -> None:
    """The deployment in the path is the model, whatever the body has."""
    assert ("my-gpt", "my-gpt") == (read().model, read(model="other").model)
    v1 = AZURE.chat(Call(Operation.CHAT), {"model": "other", "messages": HI})
    assert "other" == v1.model


def test_a_stream_begins_with_a_blank_chunk() -> None:
    """The first chunk has no choices and no names: only what was found in the prompt."""
    ask = read(stream=True)
    first, *rest = events(ask)
    assert ([], "", "") == (first["choices"], first["model"], first["id"])
    assert not first["prompt_filter_results"][0]["content_filter_results"]["hate"]["filtered"]
    assert {"my-gpt"} == {chunk["model"] for chunk in rest}


def test_what_the_filter_found_comes_with_each_piece() -> None:
    """Chunks with content have findings, the others have empty ones; and so has an answer in one piece."""
    ask = read(stream=True)
    findings = [bool(chunk["choices"][0]["content_filter_results"]) for chunk in events(ask)[1:]]
    assert [False, *[True] * 9, False] == findings
    answer = json.loads(AZURE.answer(ask, reply_to(ask, name="ada", settings=Settings()), STAMP))
    assert answer["choices"][0]["content_filter_results"]
    assert answer["prompt_filter_results"]


def test_without_the_filter_a_stream_is_openais() -> None:
    """Azure adds to OpenAI's chunks, and changes nothing in them."""
    ask = read(stream=True, stream_options={"include_usage": True})
    stream = OpenAI().stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    plain = b"".join((*stream.opening, *stream.pieces, *stream.closing)).decode().split("\n\n")[:-2]
    told = events(ask)[1:]
    for chunk in told:
        for choice in chunk["choices"]:
            del choice["content_filter_results"]
    assert [json.loads(event.removeprefix("data: ")) for event in plain] == told


@pytest.mark.parametrize(
    ("error", "code", "fields"),
    [
        pytest.param("401", "401", {"code", "message"}, id="401"),
        pytest.param("404", "DeploymentNotFound", {"code", "message"}, id="404"),
        pytest.param("429", "429", {"code", "message"}, id="429"),
        pytest.param("500", "InternalServerError", {"code", "message"}, id="500"),
        pytest.param("context", "context_length_exceeded", {"code", "message", "type", "param"}, id="context"),
        pytest.param(
            "filter", "content_filter", {"code", "message", "type", "param", "status", "innererror"}, id="filter"
        ),
    ],
)
def test_errors(error: str, code: str, fields: set[str]) -> None:
    """Most errors have a code and a message; those of the model are OpenAI's."""
    told = json.loads(AZURE.error(None, scripted(error, model="m", words=AZURE.words), STAMP))["error"]
    assert (code, fields) == (told["code"], set(told))


def test_a_filtered_prompt_tells_why() -> None:
    """The inner error has the name of the policy."""
    told = json.loads(AZURE.error(None, scripted("filter", model="m", words=AZURE.words), STAMP))["error"]
    assert "ResponsibleAIPolicyViolation" == told["innererror"]["code"]


def test_when_to_come_back_has_another_name() -> None:
    """Milliseconds come in Azure's own header as well."""
    failure = Failure(FailureKind.RATE_LIMIT, 429, "Slow down.", retry=(("retry-after-ms", "20"),))
    assert {"retry-after-ms": "20", "x-ms-retry-after-ms": "20"} == AZURE.error_headers(failure)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        pytest.param({"api-key": "k"}, "k", id="key"),
        pytest.param({"authorization": "Bearer t"}, "t", id="token"),
        pytest.param({}, None, id="none"),
    ],
)
def test_credentials(headers: dict[str, str], key: str | None) -> None:
    """A key in a header of its own, or a token."""
    dialect: Dialect = AZURE
    assert key == dialect.credential(Head("POST", "/", headers))
