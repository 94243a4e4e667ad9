"""The Python client before a real gateway and providers that fail: what an app sees."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.clients import KINDS, Kind, Waits, ask, closed, finished, pieces
from harness.commands import Serve, running, serving
from harness.gateway_files import provider, route, write
from harness.raw_http import eventually
from understudy import (
    AsyncClient,
    BadRequest,
    Interrupted,
    ProviderNotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
from understudy.mock import Mock, Settings

both = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """The only provider there is."""
    async with Mock(name="ada") as made:
        yield made


@pytest.fixture
async def serve(tmp_path: Path, mock: Mock) -> AsyncIterator[Serve]:
    """`understudy serve` with a route to it."""
    folder = write(tmp_path / "gateway", provider=provider("main", mock.url), route=route("main"))
    async with serving(tmp_path, "-f", str(folder)) as started:
        yield started


def client(kind: Kind, serve: Serve, waits: Waits | None = None, **given: Any) -> Any:
    """A client of the gateway, whose waits take no time."""
    return kind(f"http://127.0.0.1:{serve.port}", clock=(waits or Waits()).clock, **given)


@both
async def test_an_answer_and_a_stream(kind: Kind, serve: Serve) -> None:
    """The same words, whole and in pieces, and who said them."""
    asking = client(kind, serve)
    whole = await ask(asking, "chat", "chat", "Hi")
    assert whole.text == 'This is ada, answering as m. You said: "Hi"'
    assert (whole.provider, whole.route, whole.model) == ("default/main", "default/chat", "m")
    assert (whole.attempts, whole.finish_reason) == (1, "stop")
    assert whole.usage.output_tokens > 0
    stream = await ask(asking, "chat", "chat", "Hi", stream=True)
    texts: list[str] = []
    await pieces(stream, texts)
    streamed = await finished(stream)
    assert len(texts) > 3
    assert ("".join(texts), streamed.text) == (whole.text, whole.text)
    assert (streamed.usage, streamed.provider, streamed.attempts) == (whole.usage, whole.provider, 1)
    assert "chat" in {each.id for each in await ask(asking, "models")}
    await closed(asking)


@both
async def test_a_limit_is_waited_for(kind: Kind, serve: Serve, mock: Mock) -> None:
    """The gateway says when to come back, and the client comes back then, not before."""
    mock.set_faults(["429;retry-after=30"])
    waits = Waits()
    asking = client(kind, serve, waits, retries=1)
    with pytest.raises(RateLimited) as raised:
        await ask(asking, "chat", "chat", "Hi")
    assert raised.value.retry_after == pytest.approx(30, abs=1)
    assert raised.value.facts.route == "default/chat"
    assert len(waits.slept) == 1
    assert 29 <= waits.slept[0] <= 31
    await closed(asking)


@both
async def test_what_the_gateway_has_tried_is_not_tried_again(kind: Kind, serve: Serve, mock: Mock) -> None:
    """Its attempts are not multiplied by the client's."""
    mock.set_faults(["503"])
    asking = client(kind, serve, retries=5)
    with pytest.raises(Unavailable) as raised:
        await ask(asking, "chat", "chat", "Hi")
    assert raised.value.facts.should_retry is False
    assert len(mock.requests) == raised.value.facts.attempts == 2
    await closed(asking)


@both
@pytest.mark.parametrize("fault", ["cut-after:3", "reset-after:3", "error-after:3", "end-after:3"])
async def test_a_stream_that_breaks_off(kind: Kind, serve: Serve, mock: Mock, fault: str) -> None:
    """Is an error with what was said, however it broke."""
    mock.set_faults([fault])
    mock.settings = Settings(token_interval=0.02)  # so that the gateway has sent some of it before it breaks
    asking = client(kind, serve)
    texts: list[str] = []
    stream = await ask(asking, "chat", "chat", "Tell me a story", stream=True)
    with pytest.raises(Interrupted) as raised:
        await pieces(stream, texts)
    assert raised.value.so_far is not None
    assert raised.value.so_far.text == "".join(texts)
    assert raised.value.so_far.text.split() == ["This", "is", "ada,"]
    await closed(asking)


@both
async def test_a_stream_left_early_ends_at_the_provider(kind: Kind, serve: Serve, mock: Mock) -> None:
    """Nobody pays for what nobody reads."""
    mock.settings = Settings(tokens=10_000, token_interval=0.02)
    asking = client(kind, serve)
    stream = await ask(asking, "chat", "chat", "Tell me a story", stream=True)
    await closed(stream)
    await eventually(lambda: mock.requests[-1].client_left)
    await closed(asking)


async def test_a_cancelled_task_ends_at_the_provider(serve: Serve, mock: Mock) -> None:
    """And is cancelled, not caught."""
    mock.settings = Settings(tokens=10_000, token_interval=0.02)
    async with client(AsyncClient, serve) as asking:
        waiting = asyncio.create_task(asking.chat("chat", "Tell me a story"))
        await eventually(lambda: bool(mock.requests))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await eventually(lambda: mock.requests[-1].client_left)


@both
async def test_what_is_wrong_is_said(kind: Kind, serve: Serve) -> None:
    """An unknown name with the nearest ones, and a wrong request."""
    asking = client(kind, serve)
    with pytest.raises(ProviderNotFound, match=r"'chst' does not exist .* Did you mean chat\?") as unknown:
        await ask(asking, "chat", "chst", "Hi")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(BadRequest):
        await ask(asking, "chat", "chat", "Hi", extra={"messages": 5})
    await closed(asking)


@both
async def test_silence_is_bounded(kind: Kind, serve: Serve, mock: Mock) -> None:
    """By the client's own timeout, and it is not asked again."""
    mock.set_faults(["stall"])
    asking = client(kind, serve, timeout=0.3)
    with pytest.raises(TimedOut, match="did not answer in time"):
        await ask(asking, "chat", "chat", "Hi")
    await closed(asking)
    assert len(mock.requests) == 1


@both
async def test_tools(kind: Kind, serve: Serve) -> None:
    """Two functions in one turn, with arguments that the model wrote from their schemas."""

    def weather(city: str) -> str:
        """The weather in a city.

        Args:
            city: Which one.
        """
        return f"sunny in {city}"

    def time(zone: str, *, utc: bool) -> dict[str, Any]:
        """The time in a zone."""
        return {"zone": zone, "utc": utc}

    asking = client(kind, serve)
    run = await ask(asking, "run", "chat", "[call: weather, time] Now?", tools=[weather, time])
    assert (run.rounds, [each["role"] for each in run.messages]) == (
        2,
        ["user", "assistant", "tool", "tool", "assistant"],
    )
    assert run.messages[2]["content"].startswith("sunny in ")
    assert set(json.loads(run.messages[3]["content"])) == {"zone", "utc"}
    assert "sunny in" in run.text
    await closed(asking)


@both
async def test_a_batch_goes_on_past_failures(kind: Kind, serve: Serve, mock: Mock) -> None:
    """Every fifth is refused for good; the others are answered, each at its place."""
    mock.set_faults(["400;every=5"])
    asking = client(kind, serve)
    outcomes = await ask(asking, "batch", [f"number {i}" for i in range(20)], model="chat", concurrency=4)
    await closed(asking)
    assert sum(not each.ok for each in outcomes) == 4
    answered = {i: each.result.text for i, each in enumerate(outcomes) if each.ok}
    assert all(f'"number {i}"' in text for i, text in answered.items())


@both
async def test_waits_until_a_gateway_is_ready(kind: Kind, tmp_path: Path, mock: Mock) -> None:
    """From before it listens."""
    folder = write(tmp_path / "gateway", provider=provider("main", mock.url), route=route("main"))
    async with serving(tmp_path, "-f", str(folder)) as first:
        port = first.port
    again = Serve(tmp_path, "-f", str(folder), f"--port={port}")
    asking = kind(f"http://127.0.0.1:{port}")
    waiting = asyncio.create_task(ask(asking, "wait_until_ready", 60.0))
    async with running(again):
        await waiting
        assert (await ask(asking, "chat", "chat", "Hi")).text
    await closed(asking)
