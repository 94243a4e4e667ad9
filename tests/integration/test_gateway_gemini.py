"""The doors of Google's clients, byte by byte, whoever answers behind them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from harness.gateways import KEY, Serving, backend, in_order, persona, route, snapshot
from harness.raw_http import Answer, exchange
from harness.vendors import VENDORS
from understudy.mock import Mock
from understudy_api.config import Prompt

MINE = "AIzaSyMineAndNobodyElses1"
TOOLS = [{"functionDeclarations": [{"name": "get_time", "parametersJsonSchema": {"type": "object"}}]}]


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
            route("llama3:8b", *in_order(*vendors)),
            persona("pirate", backend(vendors[0]), prompt=Prompt(system="Arr.", overrides={"max_tokens": 50})),
        ]
        yield await stack.enter_async_context(Serving(snapshot(providers, targets))), mocks


async def ask(
    gateway: Serving,
    text: str = "hi",
    *,
    path: str = "/v1beta/models/chat:generateContent",
    headers: Mapping[str, str] | None = None,
    **fields: Any,
) -> Answer:
    """Ask by a method of a model."""
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}], **fields}
    return await exchange(
        gateway.port, "POST", path, json.dumps(body).encode(), {"x-goog-api-key": MINE, **(headers or {})}
    )


def parts_of(response: Any) -> list[dict[str, Any]]:
    """The parts of the first candidate."""
    parts = response["candidates"][0].get("content", {}).get("parts", [])
    assert isinstance(parts, list)
    return parts


def text_of(response: Any) -> str:
    """What is said in one."""
    return "".join(part.get("text", "") for part in parts_of(response))


@pytest.mark.parametrize("vendor", ["gemini", "openai"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/chat:generateContent",
        "/v1/models/chat:generateContent",
        "//v1//models/chat:generateContent",
        f"/v1/models/chat:generateContent?key={MINE}",
        "/ns/default/v1beta/models/chat:generateContent",
        "/v1/models/llama3:8b:generateContent",
        "/v1/models/llama3%3A8b:generateContent",
        "/v1/models/persona/pirate:generateContent",
        "/v1/models/persona%2Fpirate:generateContent",
        "/v1beta1/projects/p/locations/l/publishers/google/models/chat:generateContent",
        "/v1/publishers/persona/models/pirate:generateContent",
    ],
)
async def test_where_a_model_is(vendor: str, path: str) -> None:
    """Under both versions and on Vertex AI's paths, whatever is in its name."""
    async with serving(vendor) as (gateway, _):
        answer = await ask(gateway, "[say: Here.]", path=path)
    assert (200, "Here.") == (answer.status, text_of(answer.json()))


@pytest.mark.parametrize("vendor", ["gemini", "anthropic"])
async def test_credentials_stay_here(vendor: str) -> None:
    """The client's key reaches neither a provider nor the log, in the header or in the query."""
    async with serving(vendor) as (gateway, (mock,)):
        for path in ("/v1/models/chat:generateContent", f"/v1/models/chat:generateContent?key={MINE}"):
            assert 200 == (await ask(gateway, path=path)).status
        seen = json.dumps([[request.path, dict(request.headers), request.body.decode()] for request in mock.requests])
    log = json.dumps(gateway.log())
    assert "access" in log
    assert KEY in seen
    assert (MINE in seen, MINE in log) == (False, False)


@pytest.mark.parametrize("vendor", ["gemini", "openai", "anthropic", "ollama"])
async def test_streams(vendor: str) -> None:
    """Events with `alt=sse`, an array without: the same responses, of the same words as a whole answer."""
    words = 'Grüß Gott, "世界" \\ 🎭'
    async with serving(vendor) as (gateway, _):
        whole = await ask(gateway, f"[say: {words}]")
        events = await ask(gateway, f"[say: {words}]", path="/v1/models/chat:streamGenerateContent?alt=sse")
        array = await ask(gateway, f"[say: {words}]", path="/v1/models/chat:streamGenerateContent")
    assert events.headers["content-type"].startswith("text/event-stream")
    assert array.headers["content-type"].startswith("application/json")
    lines = [line for line in events.body.decode().split("\r\n\r\n") if line]
    assert all(line.startswith("data: {") and "\n" not in line for line in lines)
    responses = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [words] * 3 == [
        text_of(whole.json()),
        "".join(text_of(one) for one in responses),
        "".join(text_of(one) for one in array.json()),
    ]
    ended = [one for one in responses if "finishReason" in one["candidates"][0]]
    assert ["STOP"] == [one["candidates"][0]["finishReason"] for one in ended]
    assert whole.json()["usageMetadata"].items() <= responses[-1]["usageMetadata"].items()


@pytest.mark.parametrize("vendor", ["gemini", "openai", "ollama"])
@pytest.mark.parametrize("alt", ["?alt=sse", ""], ids=["events", "array"])
async def test_a_cut_is_an_error(vendor: str, alt: str) -> None:
    """What came before is there, and then an error that Google's SDK raises; no end is made up."""
    async with serving(vendor, faults={vendor: "cut-after:3"}) as (gateway, _):
        answer = await ask(gateway, "[say: a b c d e f]", path=f"/v1/models/chat:streamGenerateContent{alt}")
    body = answer.body.decode()
    assert not answer.complete
    last = body.rstrip().rpartition("data: " if alt else ",\r\n")[2]
    assert ("error", "UNAVAILABLE") == (next(iter(json.loads(last))), json.loads(last)["error"]["status"])
    assert "a" in body
    assert "finishReason" not in body


@pytest.mark.parametrize(
    ("fault", "vendor", "status", "name"),
    [
        pytest.param("503", "gemini", 503, "UNAVAILABLE", id="overloaded"),
        pytest.param("500", "openai", 500, "INTERNAL", id="an error"),
        pytest.param("401", "gemini", 502, "UNAVAILABLE", id="our key is wrong"),
        pytest.param("404", "gemini", 404, "NOT_FOUND", id="no such model"),
        pytest.param("429;retry-after=7", "gemini", 429, "RESOURCE_EXHAUSTED", id="rate limit"),
        pytest.param("429;retry-after=7", "anthropic", 429, "RESOURCE_EXHAUSTED", id="rate limit, said in a header"),
        pytest.param("context", "openai", 400, "INVALID_ARGUMENT", id="too long"),
        pytest.param("error-first;error=filter", "gemini", 400, "INVALID_ARGUMENT", id="a blocked prompt"),
        pytest.param("garbage", "gemini", 502, "UNAVAILABLE", id="garbage"),
    ],
)
async def test_errors(fault: str, vendor: str, status: int, name: str) -> None:
    """Google's, with when to come back in the body, and told before a stream begins as well."""
    for method in ("generateContent", "streamGenerateContent?alt=sse", "streamGenerateContent"):
        async with serving(vendor, faults={vendor: fault}) as (gateway, _):
            answer = await ask(gateway, path=f"/v1/models/chat:{method}")
        error = answer.json()["error"]
        assert (status, status, name) == (answer.status, error["code"], error["status"])
        delays = [detail["retryDelay"] for detail in error.get("details", ()) if "retryDelay" in detail]
        assert delays == (["7s"] if status == 429 else [])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "name"),
    [
        pytest.param(
            "POST", "/v1/models/chat:generateContent", b'{"contents": ', 400, "INVALID_ARGUMENT", id="no JSON"
        ),
        pytest.param("POST", "/v1/models/chat:generateContent", b"{}", 400, "INVALID_ARGUMENT", id="nothing"),
        pytest.param(
            "POST", "/v1/models/nobody:generateContent", b'{"contents":[{}]}', 404, "NOT_FOUND", id="nobody's name"
        ),
        pytest.param("POST", "/v1/models/chat:predict", b"{}", 404, "NOT_FOUND", id="another method"),
        pytest.param("POST", "/v1beta/models/chat", b"{}", 404, "NOT_FOUND", id="no method"),
        pytest.param("DELETE", "/v1beta/models/chat", b"", 405, "UNIMPLEMENTED", id="a verb"),
        pytest.param("GET", "/v1beta/models/nobody", b"", 404, "NOT_FOUND", id="no model"),
        pytest.param("GET", "/v1/models/nobody", b"", 404, "NOT_FOUND", id="no model, on the shared path"),
    ],
)
async def test_what_a_client_gets_wrong(method: str, path: str, body: bytes, status: int, name: str) -> None:
    """Every refusal of the gateway's own is one that Google's SDK understands."""
    async with serving("openai") as (gateway, _):
        answer = await exchange(gateway.port, method, path, body, {"x-goog-api-key": MINE})
    error = answer.json()["error"]
    assert (status, status, name) == (answer.status, error["code"], error["status"])


async def test_models() -> None:
    """Google's list, by its key in the header or the query; everybody else gets another one."""
    async with serving("gemini") as (gateway, _):
        for path, headers in (
            ("/v1beta/models", {}),
            ("/v1/models?pageSize=50", {"x-goog-api-key": MINE}),
            (f"/v1/models?key={MINE}", {}),
        ):
            listed = (await exchange(gateway.port, "GET", path, b"", headers)).json()
            assert "models/chat" in [model["name"] for model in listed["models"]]
        one = (await exchange(gateway.port, "GET", "/v1beta/models/persona/pirate")).json()
        assert "models/persona/pirate" == one["name"]
        assert "object" in (await exchange(gateway.port, "GET", "/v1/models")).json()


async def test_what_only_google_can_do_goes_to_google() -> None:
    """Another vendor is passed over unasked; where there is none but others, the client is told why."""
    search: list[dict[str, Any]] = [{"googleSearch": {}}]
    async with serving("openai", "gemini") as (gateway, (openai, gemini)):
        answer = await ask(gateway, tools=search, safetySettings=[])
        assert ([], 1) == (list(openai.requests), len(gemini.requests))
        assert "default/gemini" == answer.headers["x-understudy-provider"]
        assert search == json.loads(gemini.requests[0].body)["tools"]
    async with serving("openai") as (gateway, _):
        refused = await ask(gateway, tools=search)
        warned = await ask(gateway, safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}])
    assert (400, "INVALID_ARGUMENT") == (refused.status, refused.json()["error"]["status"])
    assert "googleSearch" in refused.json()["error"]["message"]
    assert (200, True) == (warned.status, "safetySettings" in warned.headers["x-understudy-warning"])


@pytest.mark.parametrize("pair", [("anthropic", "gemini"), ("gemini", "anthropic")], ids="-".join)
async def test_a_handover_in_the_middle_of_a_tool_loop(pair: tuple[str, str]) -> None:
    """One vendor thinks and calls, another gets the result: neither is shown what the other signed, both go on."""
    thinking = {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024}}
    async with serving(*pair) as (gateway, _):
        asked = {"role": "user", "parts": [{"text": "[think: hm] [call]"}]}
        first = await ask(gateway, "[think: hm] [call]", tools=TOOLS, generationConfig=thinking)
        content = first.json()["candidates"][0]["content"]
        assert any(part.get("thought") for part in content["parts"])
        calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        results = [
            {"functionResponse": {"name": call["name"], "id": call.get("id"), "response": {"output": "noon"}}}
            for call in calls
        ]
        contents = [asked, content, {"role": "user", "parts": results}]
        for model in ("chat", f"{pair[1]}/m"):
            path = f"/v1/models/{model}:generateContent"
            again = await ask(gateway, path=path, contents=contents, tools=TOOLS, generationConfig=thinking)
            assert (200, True) == (again.status, "noon" in text_of(again.json()))


async def test_a_persona() -> None:
    """Its role goes before the client's own words, whether they are passed on or translated."""
    path = "/v1/models/persona/pirate:generateContent"
    own = {"parts": [{"text": "Be brief."}]}
    for vendor in ("gemini", "openai"):
        async with serving(vendor) as (gateway, (mock,)):
            assert 200 == (await ask(gateway, path=path, system_instruction=own)).status
            body = json.loads(mock.requests[0].body)
        if vendor == "gemini":
            assert ["Arr.", "Be brief."] == [part["text"] for part in body["systemInstruction"]["parts"]]
            assert 50 == body["generationConfig"]["maxOutputTokens"]
        else:
            assert {"role": "system", "content": "Arr.\n\nBe brief."} == body["messages"][0]


async def test_counts() -> None:
    """Who can count is asked, where nobody can the gateway estimates and says so."""
    for vendor in ("gemini", "anthropic"):
        async with serving(vendor) as (gateway, _):
            counted = await ask(gateway, "one two three", path="/v1/models/chat:countTokens")
        assert (200, True) == (counted.status, counted.json()["totalTokens"] > 0)
        assert "x-understudy-warning" not in counted.headers
    async with serving("openai") as (gateway, _):
        estimated = await ask(gateway, "one two three", path="/v1/models/chat:countTokens")
    assert (200, True) == (estimated.status, estimated.json()["totalTokens"] > 0)
    assert "estimate" in estimated.headers["x-understudy-warning"]


@pytest.mark.parametrize("vendor", ["gemini", "openai", "ollama"])
async def test_vectors(vendor: str) -> None:
    """One or several, from whoever has them."""
    content = {"parts": [{"text": "words"}]}
    async with serving(vendor) as (gateway, _):
        one = await exchange(
            gateway.port, "POST", "/v1/models/chat:embedContent", json.dumps({"content": content}).encode()
        )
        batch = {"requests": [{"model": "models/chat", "content": content}] * 2}
        several = await exchange(gateway.port, "POST", "/v1/models/chat:batchEmbedContents", json.dumps(batch).encode())
    vector = one.json()["embedding"]["values"]
    assert len(vector) > 1
    assert [vector, vector] == [pytest.approx(made["values"]) for made in several.json()["embeddings"]]
