"""Every way in which an upstream fails, streaming and not, alone and with an understudy: what the caller sees."""

import asyncio
from typing import Any

import pytest

from harness.asking import ask
from harness.decisions import (
    AFTER_THE_BEGINNING,
    BEFORE_THE_ANSWER,
    PATIENT,
    QUICK,
    STREAM_ONLY,
    TIMEOUTS,
    WHOLE_ONLY,
    Row,
)
from harness.gateways import Serving, in_order, provider, route, snapshot
from understudy.mock import Mock, Settings
from understudy_api.config import Timeouts


def _serving(*mocks: Mock, **fields: Any) -> Serving:
    # Only the first one's silence is to be noticed soon: an understudy on a slow machine is no failure.
    waits = [TIMEOUTS, *[PATIENT] * (len(mocks) - 1)]
    providers = [
        provider(mock.name, mock.url, timeouts=timeouts, **fields) for mock, timeouts in zip(mocks, waits, strict=True)
    ]
    return Serving(snapshot(providers, [route("chat", *in_order(*(mock.name for mock in mocks)), retry=QUICK)]))


async def _check_alone(row: Row, *, stream: bool) -> None:
    async with Mock(name="a", faults=[row.fault]) as a, _serving(a) as gateway:
        told = await ask(gateway.port, stream=stream)
        assert (row.status, row.reason) == (told.status, told.header("reason"))
        assert (row.attempts, str(row.attempts)) == (a.stats.requests, told.header("attempts"))
        assert told.answer.headers["content-type"] == "application/json"
        assert told.error is not None
        assert {"message", "type", "param", "code"} == set(told.error)


async def _check_with_understudy(row: Row, *, stream: bool) -> None:
    async with Mock(name="a", faults=[row.fault]) as a, Mock(name="b") as b, _serving(a, b) as gateway:
        told = await ask(gateway.port, stream=stream)
        # A stream that keeps silent is given up early when somebody else could begin one.
        early = stream and row.reason == "request_timeout"
        if row.moves_on:
            assert (200, True, "default/b", "first_token_timeout" if early else row.reason) == (
                told.status,
                told.whole,
                told.header("provider"),
                told.header("reason"),
            )
            assert told.text.startswith("This is b,")
        else:
            assert (row.status, 0) == (told.status, b.stats.requests)


@pytest.mark.parametrize("row", BEFORE_THE_ANSWER + WHOLE_ONLY)
async def test_alone(row: Row) -> None:
    """With one backend the caller gets the status and reason of the table, in OpenAI's format, after so many tries."""
    await _check_alone(row, stream=False)


@pytest.mark.parametrize("row", BEFORE_THE_ANSWER + STREAM_ONLY)
async def test_alone_streaming(row: Row) -> None:
    """A stream that never begins is refused like a whole answer: with a status, not with events."""
    await _check_alone(row, stream=True)


@pytest.mark.parametrize("row", BEFORE_THE_ANSWER + WHOLE_ONLY)
async def test_with_an_understudy(row: Row) -> None:
    """With a second backend the caller gets its answer, unless the request itself is at fault."""
    await _check_with_understudy(row, stream=False)


@pytest.mark.parametrize("row", BEFORE_THE_ANSWER + STREAM_ONLY)
async def test_with_an_understudy_streaming(row: Row) -> None:
    """A failure before the first token moves a stream on, and nothing of the first backend is seen."""
    await _check_with_understudy(row, stream=True)


@pytest.mark.parametrize(("fault", "reason"), AFTER_THE_BEGINNING)
async def test_a_stream_that_has_begun_is_never_begun_again(fault: str, reason: str) -> None:
    """After the first token a failure is told in the stream and the connection is cut; nobody else is asked."""
    paced = Settings(token_interval=0.02)
    async with Mock(name="a", faults=[fault], settings=paced) as a, Mock(name="b") as b, _serving(a, b) as gateway:
        told = await ask(gateway.port, stream=True)
        assert (200, "This is", False, 0) == (told.status, told.text.strip(), told.whole, b.stats.requests)
        assert told.error is not None
        assert told.error["code"] == "stream_interrupted"
        assert reason in told.error["message"]
        assert b"[DONE]" not in told.answer.body
        assert not told.answer.complete


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", ["refuse;times=1", "reset;times=1", "500;times=1", "503;times=1", "408;times=2"])
async def test_a_hiccup_goes_unnoticed(fault: str, stream: bool) -> None:
    """What a repeat can mend is mended on the same backend, and the caller gets a plain answer."""
    async with Mock(name="a", faults=[fault]) as a, _serving(a) as gateway:
        told = await ask(gateway.port, stream=stream)
        assert (200, True, None) == (told.status, told.whole, told.header("reason"))
        assert told.text.startswith("This is a,")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_nobody_is_left(stream: bool) -> None:
    """When all have failed, the caller is told so once, and that repeating is of no use."""
    async with Mock(name="a", faults=["500"]) as a, Mock(name="b", faults=["502"]) as b, _serving(a, b) as gateway:
        told = await ask(gateway.port, stream=stream)
        assert (502, "false") == (told.status, told.answer.headers["x-should-retry"])
        assert told.error is not None
        assert all(name in told.error["message"] for name in ("default/a", "default/b"))


async def test_a_dead_upstream_is_left_alone_and_comes_back() -> None:
    """A backend that died is not asked again at each request, and answers again soon after it is back."""
    async with Mock(name="a") as a, Mock(name="b") as b, _serving(a, b) as gateway:
        assert (await ask(gateway.port)).header("provider") == "default/a"
        await a.stop()
        told = [await ask(gateway.port) for _ in range(5)]
        assert ["default/b"] * 5 == [one.header("provider") for one in told]
        assert "1" in {one.header("attempts") for one in told}
        await a.start()
        async with asyncio.timeout(10):
            while (await ask(gateway.port)).header("provider") != "default/a":  # noqa: ASYNC110 - asking is the wait
                await asyncio.sleep(0.02)
        assert b.stats.requests >= 5


async def test_a_rate_limited_backend_rests_as_long_as_it_asked() -> None:
    """After a Retry-After the backend is passed over; with nobody else the caller is told at once how long to wait."""
    async with Mock(name="a", faults=["429;retry-after=30"]) as a, _serving(a) as gateway:
        first, second = await ask(gateway.port), await ask(gateway.port)
        assert (429, 429, 1) == (first.status, second.status, a.stats.requests)
        assert 25 <= int(second.answer.headers["retry-after"]) <= 30


async def test_no_answer_names_the_credential() -> None:
    """What the gateway proves itself with is in no answer, whatever went wrong."""
    async with Mock(name="a", settings=Settings(require_key="another")) as a, _serving(a) as gateway:
        told = await ask(gateway.port)
        assert told.status == 502
        assert a.requests[0].headers["authorization"] == "Bearer sk-upstream-credential"
        assert b"sk-upstream" not in told.answer.body


async def test_a_route_without_time_left_gives_up() -> None:
    """The route's own bound holds for all attempts together."""
    async with Mock(name="a", faults=["stall"]) as a, Mock(name="b", faults=["stall"]) as b:
        providers = [provider(mock.name, mock.url, timeouts=Timeouts(request_seconds=60)) for mock in (a, b)]
        bounded = route("chat", *in_order("a", "b"), request_timeout_seconds=0.3)
        async with Serving(snapshot(providers, [bounded])) as gateway:
            told = await ask(gateway.port)
            assert (504, "1", 0) == (told.status, told.header("attempts"), b.stats.requests)


async def test_a_larger_window_may_still_take_it() -> None:
    """What is too long for one model goes on to a model with a larger window."""
    async with Mock(name="a", faults=["context"]) as a, Mock(name="b") as b:
        small, large = provider("a", a.url), provider("b", b.url)
        windows = {"a": 8_192, "b": 128_000}
        sized = [
            one.model_copy(update={"models": {"m": one.models["m"].model_copy(update={"context_window": window})}})
            for one, window in ((small, windows["a"]), (large, windows["b"]))
        ]
        async with Serving(snapshot(sized, [route("chat", *in_order("a", "b"))])) as gateway:
            told = await ask(gateway.port)
            assert (200, "default/b", "context_length_exceeded") == (
                told.status,
                told.header("provider"),
                told.header("reason"),
            )
