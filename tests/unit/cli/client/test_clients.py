"""Both clients: what they send, what they make of the answer, how often they ask. No socket."""

import json
import threading
from contextvars import ContextVar
from typing import Any

import httpx2
import pytest

from harness.clients import KINDS, Gateway, Kind, Waits, answer, ask, closed, finished, made, pieces, refusal
from understudy import (
    Ask,
    AsyncClient,
    Client,
    ConfigurationError,
    Interrupted,
    InvalidAnswer,
    ProviderNotFound,
    RateLimited,
    TimedOut,
    TooManyRounds,
    Unavailable,
    Usage,
)

KEY = "sk-not-to-be-shown"
both = pytest.mark.parametrize("kind", KINDS)


def streamed(*texts: str, end: str = "data: [DONE]\n\n") -> httpx2.Response:
    """A stream of these pieces."""
    events = [f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}\r\n\r\n" for text in texts]
    body = ": still here\n\n" + "".join(events) + end
    return httpx2.Response(200, text=body, headers={"content-type": "text/event-stream; charset=utf-8"})


@both
async def test_what_is_sent(kind: Kind) -> None:
    """OpenAI's format, with what the app says, and nothing that it does not say."""
    gateway = Gateway(answer())
    client = made(kind, gateway, api_key=KEY, headers={"x-team": "blue"})
    await ask(client, "chat", "persona/code_assistant", "Hi")
    options: Any = {"temperature": 0.0, "max_tokens": 5, "extra": {"seed": 7, "max_tokens": 6}}
    await ask(client, "chat", "chat", [{"role": "system", "content": "Be brief."}], **options)
    await closed(client)
    assert gateway.bodies() == [
        {"model": "persona/code_assistant", "messages": [{"role": "user", "content": "Hi"}]},
        {"model": "chat", "messages": [{"role": "system", "content": "Be brief."}], "temperature": 0.0,
         "max_tokens": 6, "seed": 7},
    ]  # fmt: skip
    request = gateway.requests[0]
    assert str(request.url) == "http://gw/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-team"] == "blue"
    assert KEY not in repr(client)


@both
async def test_an_option_that_there_is_not(kind: Kind) -> None:
    """Is no option that is quietly left out."""
    gateway = Gateway(answer())
    client = made(kind, gateway)
    for method in ("chat", "run"):
        with pytest.raises(TypeError, match="no option max_token: there are temperature, max_tokens"):
            await ask(client, method, "chat", "Hi", max_token=5)
    with pytest.raises(TypeError, match="no option max_token"):
        await ask(client, "batch", ["Hi"], model="chat", max_token=5)
    await closed(client)
    assert gateway.requests == []


@both
async def test_what_comes_back(kind: Kind) -> None:
    """The answer and who gave it, typed; the rest in `raw`."""
    headers: Any = {
        "x-understudy-route": "default/chat", "x-understudy-provider": "default/main", "x-understudy-model": "big",
        "x-understudy-attempts": "2", "x-request-id": "abc",
    }  # fmt: skip
    client = made(kind, Gateway(answer(**headers)))
    result = await ask(client, "chat", "chat", "Hi")
    await closed(client)
    assert (result.text, result.finish_reason, result.tool_calls) == ("Hello", "stop", ())
    assert result.usage == Usage(input_tokens=3, output_tokens=1)
    assert result.usage.total_tokens == 4
    assert (result.route, result.provider, result.model) == ("default/chat", "default/main", "big")
    assert (result.attempts, result.request_id, result.raw["model"]) == (2, "abc", "m")
    assert result.message == {"role": "assistant", "content": "Hello"}


@both
@pytest.mark.parametrize(
    ("answers", "asked", "slept"),
    [
        pytest.param([refusal(503), answer()], 2, [0.25], id="what passes"),
        pytest.param([refusal(429, retry_after="2"), answer()], 2, [2.1], id="when it says"),
        pytest.param([refusal(429, retry_after_ms="500"), answer()], 2, [0.525], id="to the millisecond"),
        pytest.param([httpx2.ConnectError("refused"), answer()], 2, [0.25], id="nobody listens yet"),
        pytest.param([httpx2.ReadError("reset"), answer()], 2, [0.25], id="a connection that broke"),
        pytest.param([refusal(503), refusal(500), answer()], 3, [0.25, 0.5], id="twice"),
    ],
)
async def test_what_passes_is_asked_again(kind: Kind, answers: list[Any], asked: int, slept: list[float]) -> None:
    """After the time that the gateway says, else a little longer each time."""
    gateway, waits = Gateway(*answers), Waits()
    client = made(kind, gateway, waits)
    assert (await ask(client, "chat", "chat", "Hi")).text == "Hello"
    await closed(client)
    assert (len(gateway.requests), waits.slept) == (asked, slept)


@both
@pytest.mark.parametrize(
    ("first", "error", "asked"),
    [
        pytest.param(refusal(404), ProviderNotFound, 1, id="an unknown name"),
        pytest.param(refusal(429, retry_after="300"), RateLimited, 1, id="a long time"),
        pytest.param(refusal(429, x_should_retry="false"), RateLimited, 1, id="advised against"),
        pytest.param(refusal(503), Unavailable, 3, id="what does not pass"),
        pytest.param(httpx2.ReadTimeout("slow"), TimedOut, 1, id="silence"),
        pytest.param(httpx2.Response(200, text="<html>"), InvalidAnswer, 1, id="a page"),
        pytest.param(httpx2.Response(200, json={"ok": True}), InvalidAnswer, 1, id="another API"),
        pytest.param(httpx2.Response(302, headers={"location": "/x"}), InvalidAnswer, 1, id="a redirect"),
    ],
)
async def test_what_does_not_pass_is_an_error(kind: Kind, first: Any, error: type[Exception], asked: int) -> None:
    """Of a type, and without asking in vain; streams the same."""
    for stream in (False, True):
        gateway = Gateway(first)
        client = made(kind, gateway)
        with pytest.raises(error):
            await ask(client, "chat", "chat", "Hi", stream=stream)
        await closed(client)
        assert len(gateway.requests) == asked


@both
async def test_a_stream(kind: Kind) -> None:
    """Texts as they come, and the whole in the end; comments and line ends of any kind."""
    gateway = Gateway(streamed("Hel", "lo"))
    client = made(kind, gateway)
    stream = await ask(client, "chat", "chat", "Hi", stream=True)
    texts: list[str] = []
    await pieces(stream, texts)
    assert texts == ["Hel", "lo"]
    assert (await finished(stream)).text == "Hello"
    assert gateway.bodies()[0] | {"messages": []} == {
        "model": "chat", "messages": [], "stream": True, "stream_options": {"include_usage": True}
    }  # fmt: skip
    await closed(client)


@both
@pytest.mark.parametrize("end", ["", 'data: {"error": {"message": "It broke."}}\n\n', 'data: {"cho'])
async def test_a_stream_that_breaks_off(kind: Kind, end: str) -> None:
    """Is no answer: not in the loop, not as a result, and it is not asked again."""
    gateway = Gateway(streamed("Once ", "upon", end=end))
    client = made(kind, gateway)
    stream = await ask(client, "chat", "chat", "Hi", stream=True)
    texts: list[str] = []
    with pytest.raises(Interrupted) as raised:
        await pieces(stream, texts)
    assert raised.value.so_far is not None
    assert texts == ["Once ", "upon"]
    assert raised.value.so_far.text == stream.so_far.text == "Once upon"
    with pytest.raises(Interrupted):
        await finished(stream)
    await closed(client)
    assert len(gateway.requests) == 1


@both
async def test_a_stream_left_early_is_no_answer(kind: Kind) -> None:
    """What has been said is still there."""
    client = made(kind, Gateway(streamed("Hel", "lo")))
    stream = await ask(client, "chat", "chat", "Hi", stream=True)
    await closed(stream)
    with pytest.raises(Interrupted):
        await finished(stream)
    await closed(client)


def weather(city: str) -> str:
    """The weather in a city."""
    if city == "Atlantis":
        raise LookupError("no such city")
    return f"{city}: sunny"


def population(city: str) -> int:
    """How many live there."""
    return len(city)


@both
async def test_tools_are_called_until_the_model_is_done(kind: Kind) -> None:
    """All calls of an answer, their results in order, and failures as words for the model."""
    calls = {"weather": '{"city": "Paris"}', "population": '{"city": "Rome"}'}
    gateway = Gateway(answer("", calls=calls), answer("", calls={"weather": '{"city": "Atlantis"}'}), answer("Sunny."))
    client = made(kind, gateway)
    run = await ask(client, "run", "chat", "Weather?", tools=[weather, population])
    await closed(client)
    assert (run.text, run.rounds) == ("Sunny.", 3)
    said = [(each["tool_call_id"], each["content"]) for each in run.messages if each["role"] == "tool"]
    assert said == [
        ("call-weather", "Paris: sunny"),
        ("call-population", "4"),
        ("call-weather", '{"error": "LookupError: no such city"}'),
    ]
    sent = gateway.bodies()
    assert sent[2]["messages"] == list(run.messages[:-1])
    assert run.messages[1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Paris"}'}
    assert [each["function"]["name"] for each in sent[0]["tools"]] == ["weather", "population"]


CALLER = ContextVar("CALLER", default="nobody")


@both
async def test_functions_know_who_asked(kind: Kind) -> None:
    """Context variables reach them, in whatever thread they run: traces depend on it."""

    def who(city: str) -> str:  # noqa: ARG001 - as the model gives it
        """Who asks."""
        return CALLER.get()

    gateway = Gateway(answer("", calls={"who": '{"city": "Paris"}'}), answer("You."))
    client = made(kind, gateway)
    CALLER.set("me")
    run = await ask(client, "run", "chat", "Who?", tools=[who])
    await closed(client)
    assert run.messages[2]["content"] == "me"


async def test_coroutines_are_awaited_by_the_client_that_can() -> None:
    """And refused by the one that cannot, before anything is asked."""

    async def later(city: str) -> str:
        """The weather, later."""
        return f"{city}: rain"

    gateway = Gateway(answer("", calls={"later": '{"city": "Paris"}'}), answer("Rain."))
    async with made(AsyncClient, gateway) as client:
        run = await client.run("chat", "Weather?", tools=[later])
    assert run.messages[2]["content"] == "Paris: rain"
    with made(Client, gateway) as client, pytest.raises(TypeError, match="later must be awaited: use AsyncClient"):
        client.run("chat", "Weather?", tools=[later])
    assert len(gateway.requests) == 2


@both
async def test_a_model_that_never_stops_calling_is_stopped(kind: Kind) -> None:
    """After as many rounds as are allowed, with the whole conversation in the error."""
    gateway = Gateway(answer("", calls={"weather": '{"city": "Paris"}'}))
    client = made(kind, gateway)
    with pytest.raises(TooManyRounds, match="still calls weather after 3 rounds") as raised:
        await ask(client, "run", "chat", "Weather?", tools=[weather], max_rounds=3)
    await closed(client)
    assert raised.value.run is not None
    assert (len(gateway.requests), raised.value.run.rounds) == (3, 3)


def by_question(request: httpx2.Request) -> httpx2.Response:
    """Answer with the question; refuse some."""
    question = json.loads(request.content)["messages"][-1]["content"]
    return refusal(400) if question == "bad" else answer(question.upper())


@both
async def test_a_batch(kind: Kind) -> None:
    """Results in the order of the requests, each error by itself, and how far it is."""
    gateway, seen = Gateway(by_question), list[tuple[int, int]]()
    client = made(kind, gateway)
    requests = ["a", "bad", [{"role": "user", "content": "b"}], Ask("c", model="other", options={"max_tokens": 1})]
    outcomes = await ask(
        client, "batch", requests, model="chat", concurrency=2, progress=lambda *far: seen.append(far), temperature=0.5
    )
    assert [each.result.text if each.ok else each.error.status for each in outcomes] == ["A", 400, "B", "C"]
    with pytest.raises(type(outcomes[1].error)):
        outcomes[1].unwrap()
    assert sorted(seen) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    by_model = {each["model"]: each for each in gateway.bodies()}
    assert (by_model["other"]["max_tokens"], by_model["other"]["temperature"]) == (1, 0.5)
    assert await ask(client, "batch", [], model="chat") == []
    await closed(client)


@both
@pytest.mark.parametrize(
    ("requests", "model", "said"),
    [
        pytest.param(["a"], None, "request 0 says no model", id="nobody to ask"),
        pytest.param(["a", {"role": "user"}], "chat", "request 1 is one message", id="no conversation"),
    ],
)
async def test_a_batch_that_cannot_be_made(kind: Kind, requests: list[Any], model: str | None, said: str) -> None:
    """Is known before any of it is sent."""
    gateway = Gateway(answer())
    client = made(kind, gateway)
    with pytest.raises(TypeError, match=said):
        await ask(client, "batch", requests, model=model)
    await closed(client)
    assert gateway.requests == []


@both
async def test_a_batch_of_none_at_a_time_is_a_mistake(kind: Kind) -> None:
    """It is told, and nobody is asked."""
    gateway = Gateway(answer())
    client = made(kind, gateway)
    with pytest.raises(ValueError, match="concurrency is 0; it takes 1 or more"):
        await ask(client, "batch", ["a"], model="chat", concurrency=0)
    await closed(client)
    assert gateway.requests == []


async def test_a_batch_is_asked_so_many_at_a_time() -> None:
    """Never more than `concurrency`, and so many where there are enough."""
    at_once, most = 0, 0
    lock, full = threading.Lock(), threading.Barrier(3)

    def counted(_request: httpx2.Request) -> httpx2.Response:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        full.wait(timeout=10)
        with lock:
            at_once -= 1
        return answer()

    client = made(Client, Gateway(counted))
    await ask(client, "batch", ["a"] * 6, model="chat", concurrency=3)
    await closed(client)
    assert most == 3


@both
async def test_a_progress_bar(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, so that what the app prints stays what it is."""
    client = made(kind, Gateway(answer()))
    await ask(client, "batch", ["a", "b"], model="chat", progress=True)
    await closed(client)
    out, err = capsys.readouterr()
    assert (out, "2/2" in err) == ("", True)


@both
async def test_models(kind: Kind) -> None:
    """The names that may be asked for."""
    models = {"object": "list", "data": [{"id": "chat", "owned_by": "understudy"}, {"id": "persona/x"}]}
    client = made(kind, Gateway(httpx2.Response(200, json=models)))
    assert [(each.id, each.owned_by) for each in await ask(client, "models")] == [
        ("chat", "understudy"),
        ("persona/x", ""),
    ]
    await closed(client)


@both
async def test_waiting_for_a_gateway(kind: Kind) -> None:
    """Until it is ready, whatever it says before."""
    gateway, waits = Gateway(httpx2.ConnectError("refused"), refusal(503), httpx2.Response(200, json={})), Waits()
    client = made(kind, gateway, waits)
    await ask(client, "wait_until_ready")
    await closed(client)
    assert [each.url.path for each in gateway.requests] == ["/health/ready"] * 3
    assert len(waits.slept) == 2


@both
@pytest.mark.parametrize(
    ("first", "said"),
    [
        pytest.param(refusal(503), "it answers 503", id="not ready"),
        pytest.param(httpx2.ConnectError("refused"), "cannot connect .* refused", id="nobody"),
        pytest.param(httpx2.ReadTimeout("slow"), "it does not answer", id="silence"),
    ],
)
async def test_waiting_ends(kind: Kind, first: Any, said: str) -> None:
    """In time, with what was seen last."""
    waits = Waits()
    client = made(kind, Gateway(first), waits)
    with pytest.raises(Unavailable, match=f"http://gw is not ready within 5 s: {said}"):
        await ask(client, "wait_until_ready", 5.0)
    await closed(client)
    assert 4 < sum(waits.slept) <= 5


@both
async def test_a_token_is_read_for_each_request(kind: Kind, tmp_path: Any) -> None:
    """A pod's token is renewed under a client that lives on."""
    path = tmp_path / "token"
    path.write_text("one")
    gateway = Gateway(answer())
    client = made(kind, gateway, token_file=str(path))
    await ask(client, "chat", "chat", "Hi")
    path.write_text("another")
    await ask(client, "chat", "chat", "Hi")
    path.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        await ask(client, "chat", "chat", "Hi")
    await closed(client)
    assert [each.headers["authorization"] for each in gateway.requests] == ["Bearer one", "Bearer another"]
