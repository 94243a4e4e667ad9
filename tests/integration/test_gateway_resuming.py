"""`stream.onInterruption: Resume`: a stream that breaks off goes on at the next backend, as one answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import orjson
import pytest
from openai import AsyncOpenAI

from harness.gateways import ALL, Serving, in_order, provider, route, snapshot
from understudy.mock import Mock, Settings
from understudy_api.config import Capability, OnInterruption, Provider, ProviderModel, Target

WORDS = "one two three four five six seven eight"
REST = " and the rest"
SAID: Any = [{"role": "user", "content": "Count."}]
NO_PREFILL = {"m": ProviderModel(upstream_name="m", capabilities=ALL - {Capability.PREFILL})}


@asynccontextmanager
async def _asking(target: Target, *providers: Provider) -> AsyncIterator[tuple[AsyncOpenAI, Serving]]:
    async with (
        Serving(snapshot(providers, [target])) as gateway,
        AsyncOpenAI(base_url=gateway.base_url, api_key="k", max_retries=0) as client,
    ):
        yield client, gateway


def _resuming(*names: str) -> Target:
    return route("chat", *in_order(*names)).model_copy(update={"on_interruption": OnInterruption.RESUME})


async def _read(client: AsyncOpenAI, **asked: Any) -> list[Any]:
    stream = await client.chat.completions.create(
        model="chat", messages=SAID, stream=True, stream_options={"include_usage": True}, **asked
    )
    return [chunk async for chunk in stream]


def _text(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@pytest.fixture
async def first() -> AsyncIterator[Mock]:
    """Says eight words, if it gets that far."""
    async with Mock(name="a", settings=Settings(reply=WORDS)) as made:
        yield made


@pytest.fixture
async def second() -> AsyncIterator[Mock]:
    """Goes on."""
    async with Mock(name="b", settings=Settings(reply=REST)) as made:
        yield made


@pytest.mark.parametrize("fault", ["cut-after:3", "reset-after:3", "stall-after:3", "end-after:3"])
async def test_the_next_backend_goes_on(first: Mock, second: Mock, fault: str) -> None:
    """One stream, one role, one finish; the next backend got what was said, and the usage is that of both."""
    first.set_faults([fault])
    async with _asking(_resuming("a", "b"), provider("a", first.url), provider("b", second.url)) as (client, _):
        chunks = await _read(client)
    assert _text(chunks) == "one two three" + REST
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert [choice.delta.role for choice in choices if choice.delta.role] == ["assistant"]
    assert orjson.loads(second.requests[0].body)["messages"][-1] == {"role": "assistant", "content": "one two three"}
    marks = [chunk.model_extra["understudy"] for chunk in chunks if "understudy" in (chunk.model_extra or {})]
    assert marks == [{"resumed_by": "default/b:m"}]
    usage = chunks[-1].usage
    assert usage.completion_tokens > len(REST.split())
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


async def test_what_only_its_own_dialect_can_say_still_passes(first: Mock, second: Mock) -> None:
    """The provider gets the request as the client sent it; what nobody else could go on with is not gone on with."""
    custom: Any = {"type": "custom", "custom": {"name": "shell"}}
    async with _asking(_resuming("a", "b"), provider("a", first.url), provider("b", second.url)) as (client, _):
        assert _text(await _read(client, extra_body={"top_k": 3}, tools=[custom])) == WORDS
        sent = orjson.loads(first.requests[-1].body)
        assert (sent["top_k"], sent["tools"]) == (3, [custom])
        first.set_faults(["cut-after:3"])
        with pytest.raises(openai.APIError, match="interrupted"):
            await _read(client, tools=[custom])
    assert second.requests == []


async def test_a_third_backend_goes_on_where_the_second_breaks_off(first: Mock, second: Mock) -> None:
    """Each part is added to what all before it said."""
    first.set_faults(["cut-after:2"])
    second.set_faults(["cut-after:1"])
    async with Mock(name="c", settings=Settings(reply=" end")) as third:
        providers = (provider("a", first.url), provider("b", second.url), provider("c", third.url))
        async with _asking(_resuming("a", "b", "c"), *providers) as (client, _):
            assert _text(await _read(client)) == "one two and end"


async def test_who_cannot_continue_is_not_asked(first: Mock, second: Mock) -> None:
    """A model without Prefill would begin anew: the client gets the error instead."""
    first.set_faults(["cut-after:3"])
    other = provider("b", second.url).model_copy(update={"models": NO_PREFILL})
    async with _asking(_resuming("a", "b"), provider("a", first.url), other) as (client, _):
        with pytest.raises(openai.APIError, match="interrupted"):
            await _read(client)
    assert second.requests == []


async def test_a_tool_call_is_not_gone_on_with(second: Mock) -> None:
    """Half of a call's arguments is nothing that another model could complete."""
    tool: Any = {
        "type": "function",
        "function": {
            "name": "f",
            "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
        },
    }
    async with Mock(name="a") as first:
        first.set_faults(["cut-after:2"])
        async with _asking(_resuming("a", "b"), provider("a", first.url), provider("b", second.url)) as (client, _):
            with pytest.raises(openai.APIError, match="interrupted"):
                await _read(client, tools=[tool], tool_choice="required")
    assert second.requests == []


async def test_without_it_a_cut_is_told(first: Mock, second: Mock) -> None:
    """The default: the client hears that the answer is not complete, and nobody else is asked."""
    first.set_faults(["cut-after:3"])
    target = route("chat", *in_order("a", "b"))
    async with _asking(target, provider("a", first.url), provider("b", second.url)) as (client, _):
        with pytest.raises(openai.APIError, match="interrupted"):
            await _read(client)
    assert second.requests == []


async def test_it_counts(first: Mock, second: Mock) -> None:
    """Both attempts are counted, the first one as the failure that it was."""
    first.set_faults(["cut-after:3"])
    async with _asking(_resuming("a", "b"), provider("a", first.url), provider("b", second.url)) as (client, gateway):
        await _read(client)
        attempts = "understudy_attempts_total"
        await gateway.reaches(attempts, 1, provider="default/a", outcome="interrupted")
        await gateway.reaches(attempts, 1, provider="default/b", outcome="success")
