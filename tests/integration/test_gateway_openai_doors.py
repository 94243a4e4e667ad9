"""OpenAI's other doors through its real library: vectors, older completions, Azure's paths, other vendors behind."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import orjson
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from harness.gateways import Serving, backend, in_order, persona, provider, route, snapshot
from understudy.mock import Mock
from understudy_api.config import AuthHeader, Dialect, Prompt, Provider

GEMINI: dict[str, Any] = {"type": "Gemini", "dialect": Dialect.GEMINI, "auth_header": AuthHeader.X_GOOG_API_KEY}
ANTHROPIC: dict[str, Any] = {"type": "Anthropic", "dialect": Dialect.ANTHROPIC, "auth_header": AuthHeader.X_API_KEY}
TOOL: Any = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
HELLO: Any = [{"role": "user", "content": "hi"}]


def _of(name: str, upstream: Mock, path: str = "", **vendor: Any) -> Provider:
    return provider(name, upstream.url).model_copy(update={"base_url": f"{upstream.url}{path}", **vendor})


@pytest.fixture
async def upstream() -> AsyncIterator[Mock]:
    """Whoever answers, in the dialect that is asked."""
    async with Mock(name="a") as made:
        yield made


@pytest.fixture
async def gateway(upstream: Mock) -> AsyncIterator[Serving]:
    """A gateway before one provider of each of three vendors."""
    providers = [
        _of("open", upstream, "/v1"),
        _of("gemini", upstream, "/v1beta", **GEMINI),
        _of("claude", upstream, **ANTHROPIC),
    ]
    targets = [
        route("chat", *in_order("open")),
        route("vectors", *in_order("open")),
        route("google", *in_order("gemini")),
        route("anthropic", *in_order("claude")),
        route("either", *in_order("claude", "open")),
        persona("short", backend("claude"), prompt=Prompt(system="Be brief.", overrides={"max_tokens": 7})),
    ]
    async with Serving(snapshot(providers, targets)) as serving:
        yield serving


@pytest.fixture
async def client(gateway: Serving) -> AsyncIterator[AsyncOpenAI]:
    """A client of it."""
    async with AsyncOpenAI(base_url=gateway.base_url, api_key="k", max_retries=0) as made:
        yield made


@pytest.fixture
async def azure(gateway: Serving) -> AsyncIterator[AsyncAzureOpenAI]:
    """A client that takes it for a resource of Azure's."""
    endpoint = gateway.base_url.removesuffix("/v1")
    async with AsyncAzureOpenAI(azure_endpoint=endpoint, api_version="2024-10-21", api_key="k", max_retries=0) as made:
        yield made


def _last(upstream: Mock) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(upstream.requests[-1].body)
    return body


@pytest.mark.parametrize("model", ["vectors", "google"])
async def test_vectors(client: AsyncOpenAI, model: str) -> None:
    """The library, which asks for base64, and a client that asks for numbers get the same vectors of any provider."""
    asked: Any = {"model": model, "input": ["one", "two"], "dimensions": 8}
    packed = await client.embeddings.create(**asked)
    numbers = await client.embeddings.create(**asked, encoding_format="float")
    assert [8, 8] == [len(one.embedding) for one in packed.data]
    assert [0, 1] == [one.index for one in packed.data]
    for one, other in zip(packed.data, numbers.data, strict=True):
        assert pytest.approx(one.embedding, rel=1e-6) == other.embedding
    assert packed.data[0].embedding != packed.data[1].embedding
    assert numbers.usage == packed.usage
    # Google's API for developers does not count what it makes vectors of.
    assert (packed.usage.prompt_tokens > 0) is (model == "vectors")


async def test_vectors_of_tokens(client: AsyncOpenAI, upstream: Mock) -> None:
    """Tokens mean something to providers of OpenAI's dialect alone."""
    made = await client.embeddings.create(model="vectors", input=[[1, 2, 3], [4]])
    assert 2 == len(made.data)
    assert [[1, 2, 3], [4]] == _last(upstream)["input"]
    with pytest.raises(openai.BadRequestError, match="tokens"):
        await client.embeddings.create(model="google", input=[1, 2, 3])


async def test_who_has_no_vectors(client: AsyncOpenAI) -> None:
    """A provider without vectors is passed over, and the client hears of it when nobody is left."""
    made = await client.embeddings.create(model="either", input="one")
    assert made.data[0].embedding
    with pytest.raises(openai.BadRequestError, match="embeddings"):
        await client.embeddings.create(model="anthropic", input="one")


@pytest.mark.parametrize("model", ["chat", "anthropic"])
async def test_older_completions(client: AsyncOpenAI, model: str) -> None:
    """A text goes on, whole and in a stream, at a provider that has completions and at one that has not."""
    whole = await client.completions.create(model=model, prompt="Once", max_tokens=50)
    stream = await client.completions.create(
        model=model, prompt="Once", max_tokens=50, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert "text_completion" == whole.object
    assert whole.choices[0].text == text != ""
    reasons = {str(choice.finish_reason) for chunk in chunks for choice in chunk.choices}
    assert {"None", "stop"} == reasons
    assert chunks[-1].usage == whole.usage is not None


async def test_what_completions_alone_can_say(client: AsyncOpenAI) -> None:
    """A chat has no suffix: whoever has completions is asked, and without one the client hears of it."""
    await client.completions.create(model="either", prompt="Once", suffix=".")
    with pytest.raises(openai.BadRequestError, match="suffix"):
        await client.completions.create(model="anthropic", prompt="Once", suffix=".")


async def test_azures_client(azure: AsyncAzureOpenAI, upstream: Mock) -> None:
    """Azure's client puts the model into the path, and what it says in the body does not count."""
    said = await azure.chat.completions.create(model="chat", messages=HELLO)
    assert 'This is a, answering as m. You said: "hi"' == said.choices[0].message.content
    stream = await azure.chat.completions.create(model="anthropic", messages=HELLO, stream=True)
    words = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(words) == said.choices[0].message.content
    assert (await azure.embeddings.create(model="vectors", input="one")).data[0].embedding
    assert (await azure.completions.create(model="chat", prompt="Once")).choices[0].text
    persona_said = await azure.chat.completions.create(model="persona/short", messages=HELLO)
    assert persona_said.choices[0].message.content
    assert 7 == _last(upstream)["max_tokens"]


async def test_azures_client_names_no_deployment(azure: AsyncAzureOpenAI) -> None:
    """What the older client asks for without a deployment in the path: the list of models, and responses."""
    listed = [model.id async for model in azure.models.list()]
    assert "chat" in listed
    assert "chat" == (await azure.models.retrieve("chat")).id
    response = await azure.responses.create(model="chat", input="hi")
    assert 'This is a, answering as m. You said: "hi"' == response.output_text
    assert response.id == (await azure.responses.retrieve(response.id)).id


async def test_azures_newer_paths(gateway: Serving) -> None:
    """Azure's paths without deployments are OpenAI's, below one of its own."""
    base = gateway.base_url.removesuffix("/v1") + "/openai/v1/"
    async with AsyncOpenAI(base_url=base, api_key="k", max_retries=0) as client:
        said = await client.chat.completions.create(model="chat", messages=HELLO)
        assert said.choices[0].message.content
        assert (await client.embeddings.create(model="vectors", input="one")).data[0].embedding


async def test_paths_that_azure_has_not(gateway: Serving) -> None:
    """Who asks a deployment for something else is told what there is."""
    base = gateway.base_url.removesuffix("/v1") + "/openai/deployments/chat"
    async with AsyncOpenAI(base_url=base, api_key="k", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError, match="deployments/MODEL/chat/completions"):
            await client.post("/images/generations", cast_to=object, body={})


@pytest.mark.parametrize("model", ["google", "anthropic"])
async def test_a_persona_and_tools_of_other_vendors(client: AsyncOpenAI, model: str) -> None:
    """A round of tools works with any vendor, whole and streamed, with the library's own accumulation."""
    said: list[Any] = [{"role": "user", "content": "[call: get_weather] the weather?"}]
    whole = await client.chat.completions.create(model=model, messages=said, tools=[TOOL])
    async with client.chat.completions.stream(model=model, messages=said, tools=[TOOL]) as stream:
        streamed = await stream.get_final_completion()
    calls = whole.choices[0].message.tool_calls or []
    again = streamed.choices[0].message.tool_calls or []
    assert [("function", "get_weather")] == [
        (call.type, call.function.name if call.type == "function" else "") for call in calls
    ]
    assert ["get_weather"] == [call.function.name for call in again]
    assert "tool_calls" == whole.choices[0].finish_reason == streamed.choices[0].finish_reason
    said += [
        whole.choices[0].message.model_dump(),
        {"role": "tool", "tool_call_id": calls[0].id, "content": "sunny"},
    ]
    final = await client.chat.completions.create(model=model, messages=said, tools=[TOOL])
    assert "sunny" in (final.choices[0].message.content or "")


async def test_what_another_vendor_is_not_told(client: AsyncOpenAI) -> None:
    """What changes nothing in the answer's meaning is left out, and a header says so."""
    raw = await client.chat.completions.with_raw_response.create(model="anthropic", messages=HELLO, seed=7)
    assert "seed" in raw.headers["x-understudy-warning"]
    with pytest.raises(openai.BadRequestError) as raised:
        await client.chat.completions.create(model="anthropic", messages=HELLO, n=2)
    assert "n" == raised.value.param
