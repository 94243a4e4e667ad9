"""Responses, older completions and Azure as the real OpenAI SDK sees them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai.types.responses import ResponseFunctionToolCall

from understudy.mock import Mock

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
HI: Any = [{"role": "user", "content": "Hi"}]
ECHO = 'This is ada, answering as gpt. You said: "Hi"'


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """A mock that speaks every dialect."""
    async with Mock(name="ada") as running:
        yield running


@pytest.fixture
async def client(mock: Mock) -> AsyncIterator[openai.AsyncOpenAI]:
    """The SDK, as its README has it, but without retries."""
    async with openai.AsyncOpenAI(base_url=f"{mock.url}/v1", api_key="k", max_retries=0) as running:
        yield running


@pytest.fixture
async def azure(mock: Mock) -> AsyncIterator[openai.AsyncAzureOpenAI]:
    """The SDK for Azure, with a version."""
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=mock.url, api_key="k", api_version="2024-10-21", max_retries=0
    ) as running:
        yield running


async def test_a_response(client: openai.AsyncOpenAI) -> None:
    """A response is read, with its usage."""
    response = await client.responses.create(model="gpt", input="Hi")
    assert (ECHO, "completed") == (response.output_text, response.status)
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0


async def test_the_stream_helper_follows_a_response(client: openai.AsyncOpenAI) -> None:
    """The SDK's own accumulator finds thoughts, text and calls, as they are in the final response."""
    said = "[think: hm so] [say: Let me see.] [call: 1, 1]"
    async with client.responses.stream(model="gpt", input=said, tools=[WEATHER]) as stream:
        kinds = [event.type async for event in stream]
        response = await stream.get_final_response()
    assert ["reasoning", "message", "function_call", "function_call"] == [item.type for item in response.output]
    assert ("Let me see.", "response.completed") == (response.output_text, kinds[-1])
    call = response.output[-1]
    assert isinstance(call, ResponseFunctionToolCall)
    assert {"city": "city"} == json.loads(call.arguments)


async def test_a_conversation_goes_on_with_what_a_response_said(client: openai.AsyncOpenAI) -> None:
    """The items of a response are taken back as input, with what the tools returned."""
    first = await client.responses.create(model="gpt", input="[think: hm] [call: 1, 1]", tools=[WEATHER])
    calls = [item for item in first.output if isinstance(item, ResponseFunctionToolCall)]
    history: Any = [*HI, *(item.model_dump(exclude_none=True) for item in first.output)]
    history += [
        {"type": "function_call_output", "call_id": c.call_id, "output": w} for c, w in zip(calls, "ab", strict=True)
    ]
    second = await client.responses.create(model="gpt", input=history, tools=[WEATHER])
    assert second.output_text.endswith('The tool returned: "a, b"')


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        pytest.param("error-first", "error", id="first"),
        pytest.param("role-then-error", "response.failed", id="after the beginning"),
        pytest.param("error-after:2", "response.failed", id="mid-stream"),
    ],
)
async def test_a_response_that_fails(client: openai.AsyncOpenAI, fault: str, last: str) -> None:
    """A stream of events ends with an error, or with a response that failed."""
    stream = await client.responses.create(model="gpt", input="Hi", stream=True, extra_headers={"x-mock-fault": fault})
    assert last == [event.type async for event in stream][-1]


async def test_a_completion(client: openai.AsyncOpenAI) -> None:
    """A prompt has its text, in one piece and as a stream."""
    whole = await client.completions.create(model="gpt", prompt="Hi")
    stream = await client.completions.create(model="gpt", prompt="Hi", stream=True)
    pieces = [chunk.choices[0].text async for chunk in stream]
    assert (ECHO, ECHO) == (whole.choices[0].text, "".join(pieces))


async def test_azure(azure: openai.AsyncAzureOpenAI) -> None:
    """The deployment is the model, in one piece and as a stream whose first chunk has no choices."""
    whole = await azure.chat.completions.create(model="gpt", messages=HI)
    stream = await azure.chat.completions.create(model="gpt", messages=HI, stream=True)
    first, *chunks = [chunk async for chunk in stream]
    told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert (ECHO, ECHO, []) == (whole.choices[0].message.content, told, first.choices)


async def test_other_apis_on_azure(azure: openai.AsyncAzureOpenAI) -> None:
    """Embeddings, completions and responses are where the SDK looks for them."""
    embeddings = await azure.embeddings.create(model="gpt", input="Hi")
    completion = await azure.completions.create(model="gpt", prompt="Hi")
    response = await azure.responses.create(model="gpt", input="Hi")
    assert (1, ECHO, ECHO) == (len(embeddings.data), completion.choices[0].text, response.output_text)


async def test_azure_without_a_version(mock: Mock) -> None:
    """The newer paths serve the plain SDK."""
    async with openai.AsyncOpenAI(base_url=f"{mock.url}/openai/v1", api_key="k", max_retries=0) as client:
        chat = await client.chat.completions.create(model="gpt", messages=HI)
        response = await client.responses.create(model="gpt", input="Hi")
    assert (ECHO, ECHO) == (chat.choices[0].message.content, response.output_text)


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        pytest.param("401", openai.AuthenticationError, "401", id="401"),
        pytest.param("404", openai.NotFoundError, "DeploymentNotFound", id="404"),
        pytest.param("429", openai.RateLimitError, "429", id="429"),
        pytest.param("filter", openai.BadRequestError, "content_filter", id="filter"),
    ],
)
async def test_errors_of_azure(
    azure: openai.AsyncAzureOpenAI, fault: str, kind: type[openai.APIStatusError], code: str
) -> None:
    """The SDK knows Azure's errors by their status, and reads their code."""
    with pytest.raises(kind) as caught:
        await azure.chat.completions.create(model="gpt", messages=HI, extra_headers={"x-mock-fault": fault})
    assert code == caught.value.code
