"""The doors of Ollama's clients, byte by byte, whoever answers behind them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from harness.gateways import Serving, backend, in_order, persona, route, snapshot
from harness.raw_http import Answer, exchange
from harness.vendors import VENDORS
from understudy.mock import Mock
from understudy_api.config import Prompt

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@asynccontextmanager
async def serving(*vendors: str, faults: Mapping[str, str] | None = None) -> AsyncIterator[tuple[Serving, list[Mock]]]:
    """A gateway with a route `chat` to these vendors in order, and a persona; `faults` by vendor."""
    async with AsyncExitStack() as stack:
        mocks = [
            await stack.enter_async_context(
                Mock(name=one, faults=[fault] if (fault := (faults or {}).get(one)) else [])
            )
            for one in vendors
        ]
        providers = [VENDORS[one].provider(one, mock.url) for one, mock in zip(vendors, mocks, strict=True)]
        targets = [
            route("chat", *in_order(*vendors)),
            persona("pirate", backend(vendors[0]), prompt=Prompt(system="Arr.", overrides={"max_tokens": 50})),
        ]
        yield await stack.enter_async_context(Serving(snapshot(providers, targets))), mocks


async def post(gateway: Serving, path: str, **body: Any) -> Answer:
    """Send a body with a model in it."""
    return await exchange(gateway.port, "POST", path, json.dumps({"model": "chat", **body}).encode())


async def ask(gateway: Serving, text: str = "hi", **fields: Any) -> Answer:
    """Ask at `/api/chat`."""
    return await post(gateway, "/api/chat", messages=[{"role": "user", "content": text}], **fields)


def lines_of(answer: Answer) -> list[dict[str, Any]]:
    """The objects of a stream."""
    return [json.loads(line) for line in answer.body.decode().splitlines()]


@pytest.mark.parametrize("vendor", ["ollama", "openai", "anthropic", "gemini"])
async def test_chat(vendor: str) -> None:
    """A stream unless the client wants none, of the same words; the last line tells what it took, and how long."""
    words = 'Grüß Gott, "世界" \\ 🎭'
    async with serving(vendor) as (gateway, _):
        whole = (await ask(gateway, f"[say: {words}]", stream=False)).json()
        streamed = await ask(gateway, f"[say: {words}]")
    assert "application/x-ndjson" == streamed.headers["content-type"]
    *said, last = lines_of(streamed)
    assert [words, words] == [whole["message"]["content"], "".join(line["message"]["content"] for line in said)]
    assert not any(line["done"] for line in said)
    for end in (whole, last):
        assert (True, "stop") == (end["done"], end["done_reason"])
        assert end["total_duration"] > 0
        assert end["prompt_eval_count"] > 0
        assert end["eval_count"] > 0


@pytest.mark.parametrize("vendor", ["ollama", "openai", "anthropic", "gemini"])
async def test_generate(vendor: str) -> None:
    """Words without roles, with a picture."""
    async with serving(vendor) as (gateway, _):
        whole = await post(gateway, "/api/generate", prompt="[say: Here.]", stream=False, system="Be brief.")
        seen = await post(gateway, "/api/generate", prompt="Look!", images=[PICTURE], stream=False)
        streamed = await post(gateway, "/api/generate", prompt="[say: Here.]")
    assert ("Here.", True) == (whole.json()["response"], whole.json()["done"])
    assert "1 image" in seen.json()["response"]
    assert "Here." == "".join(line["response"] for line in lines_of(streamed))


@pytest.mark.parametrize("vendor", ["ollama", "openai", "anthropic", "gemini"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_tool_loop(vendor: str, stream: bool) -> None:
    """Calls without ids of the client's find their results, whoever called."""
    functions = [{"name": name, "parameters": {"type": "object", "properties": {}}} for name in ("f", "g")]
    tools = [{"type": "function", "function": function} for function in functions]
    async with serving(vendor) as (gateway, _):
        first = await ask(gateway, "[call: f, g]", tools=tools, stream=stream)
        messages = [line["message"] for line in (lines_of(first) if stream else [first.json()])]
        calls = [call["function"] for message in messages for call in message.get("tool_calls", ())]
        assert [("f", {}), ("g", {})] == [(call["name"], call["arguments"]) for call in calls]
        asked = {"role": "user", "content": "[call: f, g]"}
        called = {"role": "assistant", "content": "", "tool_calls": [{"function": call} for call in calls]}
        results = [{"role": "tool", "tool_name": name, "content": text} for name, text in (("g", "two"), ("f", "one"))]
        again = await post(gateway, "/api/chat", messages=[asked, called, *results], tools=tools, stream=False)
    assert 200 == again.status
    assert "one" in again.json()["message"]["content"]
    assert "two" in again.json()["message"]["content"]


@pytest.mark.parametrize("vendor", ["ollama", "openai", "gemini"])
async def test_a_cut_is_an_error(vendor: str) -> None:
    """What came before is there, and then a line that Ollama's SDK raises for; no end is made up."""
    async with serving(vendor, faults={vendor: "cut-after:3"}) as (gateway, _):
        answer = await ask(gateway, "[say: a b c d e f]")
    *said, last = lines_of(answer)
    assert not answer.complete
    assert "a" in said[0]["message"]["content"]
    assert {"error"} == last.keys()
    assert not any(line["done"] for line in said)


@pytest.mark.parametrize(
    ("fault", "vendor", "status"),
    [
        pytest.param("503", "ollama", 503, id="busy"),
        pytest.param("404", "ollama", 404, id="not pulled"),
        pytest.param("500", "anthropic", 500, id="an error"),
        pytest.param("401", "openai", 502, id="our key is wrong"),
        pytest.param("429;retry-after=7", "gemini", 429, id="rate limit"),
        pytest.param("error-first", "ollama", 502, id="an error as the first line"),
        pytest.param("garbage", "ollama", 502, id="garbage"),
    ],
)
async def test_errors(fault: str, vendor: str, status: int) -> None:
    """A text, told before a stream begins as well."""
    for stream in (False, True):
        async with serving(vendor, faults={vendor: fault}) as (gateway, _):
            answer = await ask(gateway, stream=stream)
        assert (status, {"error"}) == (answer.status, answer.json().keys())


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("POST", "/api/chat", b'{"model": ', 400, id="no JSON"),
        pytest.param("POST", "/api/chat", b"{}", 400, id="nothing"),
        pytest.param("POST", "/api/chat", b'{"model":"nobody","messages":[]}', 404, id="nobody's name"),
        pytest.param("POST", "/api/chat", b'{"model":"chat","messages":[]}', 400, id="nothing to answer"),
        pytest.param("POST", "/api/show", b'{"model":"nobody"}', 404, id="nobody shown"),
        pytest.param("POST", "/api/show", b"[]", 400, id="nothing shown"),
        pytest.param("GET", "/api/chat", b"", 405, id="a verb"),
    ],
)
async def test_what_a_client_gets_wrong(method: str, path: str, body: bytes, status: int) -> None:
    """Every refusal of the gateway's own is one that Ollama's clients understand."""
    async with serving("openai") as (gateway, _):
        answer = await exchange(gateway.port, method, path, body)
    assert (status, {"error"}) == (answer.status, answer.json().keys())


async def test_what_is_asked_about_a_server() -> None:
    """Whether it runs, which version, which models there are, and what one can do."""
    async with serving("openai") as (gateway, _):
        running = await exchange(gateway.port, "GET", "/")
        probed = await exchange(gateway.port, "HEAD", "/")
        version = await exchange(gateway.port, "GET", "/api/version")
        tags = await exchange(gateway.port, "GET", "/api/tags")
        loaded = await exchange(gateway.port, "GET", "/api/ps")
        shown = await post(gateway, "/api/show")
        named = await exchange(gateway.port, "POST", "/api/show", b'{"name":"persona/pirate"}')
    assert (b"Ollama is running", 200) == (running.body, probed.status)
    assert version.json()["version"]
    assert {"chat", "persona/pirate"} <= {model["model"] for model in tags.json()["models"]}
    assert [] == loaded.json()["models"]
    assert {"completion", "tools", "vision"} <= set(shown.json()["capabilities"])
    assert 200 == named.status


async def test_a_request_that_only_loads() -> None:
    """A server of Ollama's is told to load."""
    async with serving("ollama") as (gateway, _):
        answer = await post(gateway, "/api/generate", prompt="", keep_alive="5m", stream=False)
    assert (200, "load") == (answer.status, answer.json()["done_reason"])


async def test_what_only_ollama_can_do_goes_to_ollama() -> None:
    """Another vendor is passed over unasked; where there is none but others, the client is told why."""
    async with serving("openai", "ollama") as (gateway, (openai, ollama)):
        answer = await post(gateway, "/api/generate", prompt="hi", raw=True, stream=False)
        assert (200, [], 1) == (answer.status, list(openai.requests), len(ollama.requests))
    async with serving("openai") as (gateway, _):
        refused = await post(gateway, "/api/generate", prompt="hi", raw=True, stream=False)
        warned = await ask(gateway, options={"num_ctx": 4096}, stream=False)
    assert (400, True) == (refused.status, "raw" in refused.json()["error"])
    assert (200, True) == (warned.status, "num_ctx" in warned.headers["x-understudy-warning"])


async def test_a_persona() -> None:
    """Its role goes before the client's own words, whether they are passed on or translated."""
    for vendor in ("ollama", "openai"):
        async with serving(vendor) as (gateway, (mock,)):
            assert 200 == (await ask(gateway, model="persona/pirate", stream=False)).status
            body = json.loads(mock.requests[0].body)
        assert {"role": "system", "content": "Arr."} == body["messages"][0]


@pytest.mark.parametrize("vendor", ["ollama", "openai", "gemini"])
async def test_vectors(vendor: str) -> None:
    """One or several, by either path, from whoever has them."""
    async with serving(vendor) as (gateway, _):
        several = (await post(gateway, "/api/embed", input=["words", "words"])).json()
        one = (await post(gateway, "/api/embed", input="words")).json()
        older = (await post(gateway, "/api/embeddings", prompt="words")).json()
    vector = older["embedding"]
    assert len(vector) > 1
    assert [pytest.approx(vector)] * 3 == [*several["embeddings"], *one["embeddings"]]
