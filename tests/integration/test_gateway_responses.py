"""The Responses API through the real `openai` library: items, events, what is remembered, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import orjson
import pytest
from openai import AsyncOpenAI

from harness.gateways import Serving, in_order, provider, route, snapshot
from understudy.mock import Mock

TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
SCHEMA: Any = {
    "format": {
        "type": "json_schema",
        "name": "city",
        "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    }
}


@pytest.fixture
async def upstream() -> AsyncIterator[Mock]:
    """Whoever answers."""
    async with Mock(name="a") as made:
        yield made


@pytest.fixture
async def client(upstream: Mock) -> AsyncIterator[AsyncOpenAI]:
    """A client of a gateway with one route."""
    async with (
        Serving(snapshot([provider("a", upstream.url)], [route("chat", *in_order("a"))])) as gateway,
        AsyncOpenAI(base_url=gateway.base_url, api_key="k", max_retries=0) as made,
    ):
        yield made


def _sent(upstream: Mock) -> list[dict[str, Any]]:
    """The messages that the provider got last."""
    messages: list[dict[str, Any]] = orjson.loads(upstream.requests[-1].body)["messages"]
    return messages


async def test_a_response(client: AsyncOpenAI, upstream: Mock) -> None:
    """Words become a message, usage is told, and instructions come first."""
    response = await client.responses.create(model="chat", input="hi", instructions="Be brief.", max_output_tokens=500)
    assert response.output_text == 'This is a, answering as m. You said: "hi"'
    assert response.status == "completed"
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert _sent(upstream) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]


async def test_a_stream_is_the_same_answer(client: AsyncOpenAI) -> None:
    """The events build what the last of them tells, and are numbered without a gap."""
    asked: Any = {"model": "chat", "input": "[think: hm] hi"}
    raw = [event async for event in await client.responses.create(**asked, stream=True)]
    assert [event.sequence_number for event in raw] == list(range(len(raw)))
    async with client.responses.stream(**asked) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    whole = await client.responses.create(**asked)
    assert said == final.output_text == whole.output_text
    assert [item.type for item in final.output] == [item.type for item in whole.output] == ["reasoning", "message"]
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools_go_round(client: AsyncOpenAI, upstream: Mock, streamed: bool) -> None:
    """A call is an item; its output goes back by the id of the response, and the model sees both."""
    asked: Any = {"model": "chat", "input": "[call: get_weather]", "tools": [TOOL]}
    if streamed:
        async with client.responses.stream(**asked) as stream:
            called = await stream.get_final_response()
    else:
        called = await client.responses.create(**asked)
    (call,) = [item for item in called.output if item.type == "function_call"]
    assert set(orjson.loads(call.arguments)) == {"city"}
    answer = await client.responses.create(
        model="chat",
        previous_response_id=called.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}],
        tools=[TOOL],
    )
    assert "sunny" in answer.output_text
    assert [message["role"] for message in _sent(upstream)] == ["user", "assistant", "tool"]


async def test_a_conversation_is_remembered(client: AsyncOpenAI, upstream: Mock) -> None:
    """Each turn goes on from the one before, without its instructions, and can be read and deleted."""
    first = await client.responses.create(model="chat", input="one", instructions="Only now.")
    second = await client.responses.create(model="chat", input="two", previous_response_id=first.id)
    third = await client.responses.create(model="chat", input="three", previous_response_id=second.id)
    assert [message["role"] for message in _sent(upstream)] == ["user", "assistant", "user", "assistant", "user"]
    assert (await client.responses.retrieve(third.id)).output_text == third.output_text
    items = await client.responses.input_items.list(third.id)
    assert [item.type for item in items.data] == ["message"]
    await client.responses.delete(third.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(third.id)


async def test_what_is_not_stored_is_not_there(client: AsyncOpenAI) -> None:
    """`store: false` leaves nothing, and whoever goes on from nothing is told so."""
    alone = await client.responses.create(model="chat", input="hi", store=False)
    with pytest.raises(openai.NotFoundError) as caught:
        await client.responses.create(model="chat", input="on", previous_response_id=alone.id)
    assert caught.value.code == "previous_response_not_found"


async def test_json_by_schema(client: AsyncOpenAI) -> None:
    """A format asks the provider for JSON."""
    response = await client.responses.create(model="chat", input="which city?", text=SCHEMA)
    assert set(orjson.loads(response.output_text)) == {"city"}


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        pytest.param({"tools": [{"type": "web_search"}]}, "tools[0].type", id="a hosted tool"),
        pytest.param({"background": True}, "background", id="in the background"),
        pytest.param({"conversation": "conv_1"}, "conversation", id="a conversation"),
        pytest.param({"input": [{"type": "computer_call"}]}, "input[0].type", id="an unknown item"),
        pytest.param({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].id", id="a lost item"),
    ],
)
async def test_what_only_openai_does_is_refused(client: AsyncOpenAI, asked: dict[str, Any], param: str) -> None:
    """Nothing is left out silently: the field is named."""
    with pytest.raises(openai.APIStatusError) as caught:
        await client.responses.create(**{"model": "chat", "input": "hi", **asked})
    assert caught.value.status_code in {400, 404}
    assert caught.value.param == param


async def test_a_cut_stream_raises(client: AsyncOpenAI, upstream: Mock) -> None:
    """An answer that breaks off is an error, and nothing to go on from."""
    upstream.set_faults(["cut-after:3"])
    stream = await client.responses.create(model="chat", input="hi there", stream=True)
    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass
