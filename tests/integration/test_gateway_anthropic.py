"""The doors of Anthropic's clients, byte by byte, whoever answers behind them."""

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

OLD, NEW = "2023-06-01", "2026-10-21"
SERVER_TOOL = {"type": "web_search_20250305", "name": "web_search"}


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


async def ask(
    gateway: Serving,
    text: str = "hi",
    *,
    path: str = "/v1/messages",
    headers: Mapping[str, str] | None = None,
    **fields: Any,
) -> Answer:
    """Ask for a message, or for the count of one."""
    body: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": text}], **fields}
    if path == "/v1/messages":
        body = {"max_tokens": 100, **body}
    return await exchange(
        gateway.port, "POST", path, json.dumps(body).encode(), {"anthropic-version": OLD, **(headers or {})}
    )


def text_of(answer: Answer) -> str:
    """The words of a message."""
    return "".join(block.get("text", "") for block in answer.json()["content"])


@pytest.mark.parametrize("credential", [{"x-api-key": "sk-mine"}, {"authorization": "Bearer sk-mine"}], ids=str)
@pytest.mark.parametrize("version", [OLD, NEW])
async def test_credentials_and_versions(credential: dict[str, str], version: str) -> None:
    """The client's key stays here in whichever header it came; its version and betas go on."""
    async with serving("anthropic") as (gateway, (mock,)):
        answer = await ask(gateway, headers={**credential, "anthropic-version": version, "anthropic-beta": "a-1,b-2"})
        assert 200 == answer.status
        (request,) = mock.requests
    sent = {
        name: request.headers.get(name)
        for name in ("x-api-key", "authorization", "anthropic-version", "anthropic-beta")
    }
    assert {"x-api-key": KEY, "authorization": None, "anthropic-version": version, "anthropic-beta": "a-1,b-2"} == sent


async def test_betas_are_not_for_others() -> None:
    """Another vendor gets none of this vendor's headers; the client is told what that leaves out."""
    async with serving("openai") as (gateway, (mock,)):
        answer = await ask(gateway, headers={"anthropic-beta": "a-1"})
        (request,) = mock.requests
    assert not [name for name in request.headers if name.lower().startswith("anthropic")]
    assert "anthropic-beta" in answer.headers["x-understudy-warning"]


async def test_the_newer_version_is_strict_whoever_answers() -> None:
    """A client of it is told of a sampling parameter as the vendor tells it."""
    async with serving("openai") as (gateway, _):
        refused = await ask(gateway, temperature=0.5, headers={"anthropic-version": NEW})
        taken = await ask(gateway, temperature=0.5)
    assert (400, 200) == (refused.status, taken.status)
    assert "temperature: Extra inputs are not permitted" == refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fault", "vendor", "status", "kind"),
    [
        pytest.param("529", "anthropic", 529, "overloaded_error", id="overloaded, said by Anthropic"),
        pytest.param("503", "openai", 503, "overloaded_error", id="overloaded, said by others"),
        pytest.param("500", "openai", 500, "api_error", id="an error"),
        pytest.param("401", "anthropic", 502, "api_error", id="our key is wrong"),
        pytest.param("404", "anthropic", 404, "not_found_error", id="no such model"),
        pytest.param("429;retry-after=7", "openai", 429, "rate_limit_error", id="rate limit"),
        pytest.param("429;retry-after=7", "gemini", 429, "rate_limit_error", id="rate limit, said in a body"),
        pytest.param("context", "gemini", 400, "invalid_request_error", id="too long"),
        pytest.param("garbage", "anthropic", 502, "api_error", id="garbage"),
    ],
)  # fmt: skip
async def test_errors(fault: str, vendor: str, status: int, kind: str) -> None:
    """In the vendor's format, with the type its SDKs go by and the request's id."""
    async with serving(vendor, faults={vendor: fault}) as (gateway, _):
        answer = await ask(gateway)
    body = answer.json()
    assert (status, "error", kind) == (answer.status, body["type"], body["error"]["type"])
    assert answer.headers["request-id"] == body["request_id"]
    if status == 429:
        assert "7" == answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        pytest.param("POST", "/v1/messages", b'{"model": ', 400, "invalid_request_error", id="no JSON"),
        pytest.param("POST", "/v1/messages", b"{}", 400, "invalid_request_error", id="nothing"),
        pytest.param("POST", "/v1/messages",
                     b'{"model":"nobody","max_tokens":1,"messages":[{"role":"user","content":""}]}',
                     404, "not_found_error", id="nobody's name"),
        pytest.param("GET", "/v1/messages", b"", 405, "invalid_request_error", id="a method"),
        pytest.param("GET", "/v1/models/nobody", b"", 404, "not_found_error", id="no model"),
        pytest.param("GET", "/v1/models?limit=0", b"", 400, "invalid_request_error", id="no page"),
        pytest.param("GET", "/v1/models?after_id=nobody", b"", 400, "invalid_request_error", id="after nobody"),
    ],
)  # fmt: skip
async def test_what_a_client_gets_wrong(method: str, path: str, body: bytes, status: int, kind: str) -> None:
    """Every refusal of the gateway's own is one that the vendor's SDKs understand."""
    async with serving("openai") as (gateway, _):
        answer = await exchange(gateway.port, method, path, body, {"anthropic-version": OLD})
    assert (status, kind) == (answer.status, answer.json()["error"]["type"])


@pytest.mark.parametrize("vendor", ["anthropic", "openai", "gemini"])
async def test_a_cut_is_an_error_event(vendor: str) -> None:
    """What came before is there, and then an error that every SDK raises; no end is made up."""
    async with serving(vendor, faults={vendor: "cut-after:3"}) as (gateway, _):
        answer = await ask(gateway, "[say: one two three four five six]", stream=True)
    events = answer.body.decode().strip().split("\n\n")
    assert events[0].startswith("event: message_start\n")
    assert events[-1].startswith("event: error\n")
    error = json.loads(events[-1].partition("data: ")[2])
    assert ("error", "api_error") == (error["type"], error["error"]["type"])
    assert not any("message_stop" in event for event in events)


async def test_what_only_anthropic_can_do_goes_to_anthropic() -> None:
    """Another vendor is passed over unasked; where there is none but others, the client is told why."""
    async with serving("openai", "anthropic") as (gateway, (openai, anthropic)):
        answer = await ask(gateway, tools=[SERVER_TOOL])
        assert ([], 1) == (list(openai.requests), len(anthropic.requests))
        assert "default/anthropic" == answer.headers["x-understudy-provider"]
        assert [SERVER_TOOL] == json.loads(anthropic.requests[0].body)["tools"]
    async with serving("openai") as (gateway, _):
        refused = await ask(gateway, tools=[SERVER_TOOL])
    assert 400 == refused.status
    assert "web_search_20250305" in refused.json()["error"]["message"]


async def test_reasoning_of_another_vendor_survives_the_way_out_and_back() -> None:
    """Gemini's marks travel with an Anthropic client, come back to Gemini, and are no trouble to Anthropic."""
    tools = [{"name": "get_time", "input_schema": {"type": "object"}}]
    async with serving("gemini", "anthropic") as (gateway, (gemini, _)):
        first = await ask(gateway, "[think: hm] [call]", tools=tools, thinking={"type": "adaptive"})
        content = first.json()["content"]
        calls = [block for block in content if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call["id"], "content": "noon"} for call in calls]
        messages = [
            {"role": "user", "content": "[think: hm] [call]"},
            {"role": "assistant", "content": content},
            {"role": "user", "content": results},
        ]
        again = await ask(gateway, messages=messages, tools=tools)
        other = await ask(gateway, model="anthropic/m", messages=messages, tools=tools)
    assert (200, 200) == (again.status, other.status)
    assert ("noon" in text_of(again), "noon" in text_of(other)) == (True, True)
    assert 2 == len(gemini.requests)


async def test_a_persona() -> None:
    """Its role goes before the client's own words, whether they are passed on or translated."""
    for vendor in ("anthropic", "openai"):
        async with serving(vendor) as (gateway, (mock,)):
            assert 200 == (await ask(gateway, model="persona/pirate", system="Be brief.")).status
            body = json.loads(mock.requests[0].body)
        if vendor == "anthropic":
            assert ["Arr.", "Be brief."] == [block["text"] for block in body["system"]]
        else:
            assert {"role": "system", "content": "Arr.\n\nBe brief."} == body["messages"][0]
        assert 50 == (body.get("max_tokens") or body.get("max_completion_tokens"))


COUNT = "/v1/messages/count_tokens"


@pytest.mark.parametrize("vendor", ["anthropic", "gemini"])
async def test_counting(vendor: str) -> None:
    """Who can count is asked in its own way."""
    async with serving(vendor) as (gateway, (mock,)):
        answer = await ask(gateway, "one two three", path=COUNT)
        (request,) = mock.requests
    assert 200 == answer.status
    assert answer.json()["input_tokens"] > 0
    assert "x-understudy-warning" not in answer.headers
    assert ("count_tokens" in request.path, "countTokens" in request.path) == (
        vendor == "anthropic",
        vendor == "gemini",
    )


async def test_counting_where_nobody_counts() -> None:
    """The gateway's own estimate, which says that it is one."""
    async with serving("openai") as (gateway, (mock,)):
        answer = await ask(gateway, "one two three", path=COUNT)
        assert [] == list(mock.requests)
    assert (200, True) == (answer.status, answer.json()["input_tokens"] > 0)
    assert "estimate" in answer.headers["x-understudy-warning"]


async def test_models_page_by_page() -> None:
    """In the vendor's shape for who sends its version header, and in OpenAI's for who does not."""
    names = ["a", "b", "c", "persona/pirate", "x/m"]
    async with Mock(name="x") as mock:
        provider = VENDORS["openai"].provider("x", mock.url)
        targets = [*(route(name, backend("x")) for name in names[:3]), persona("pirate", backend("x"), prompt=Prompt())]
        async with Serving(snapshot([provider], targets)) as gateway:
            whole = await _models(gateway, "")
            assert (names, False, "a", "x/m") == whole
            assert (["a", "b"], True, "a", "b") == await _models(gateway, "?limit=2")
            assert (["c", "persona/pirate"], True, "c", "persona/pirate") == await _models(
                gateway, "?limit=2&after_id=b"
            )
            assert (["x/m"], False, "x/m", "x/m") == await _models(gateway, "?after_id=persona/pirate")
            assert (["b"], True, "b", "b") == await _models(gateway, "?limit=1&before_id=c")
            one = await exchange(gateway.port, "GET", "/v1/models/persona%2Fpirate", headers={"anthropic-version": NEW})
            other = await exchange(gateway.port, "GET", "/v1/models")
    assert ("model", "persona/pirate") == (one.json()["type"], one.json()["id"])
    assert one.json()["created_at"].endswith("Z")
    assert "list" == other.json()["object"]


async def _models(gateway: Serving, query: str) -> tuple[list[str], bool, str, str]:
    answer = await exchange(gateway.port, "GET", f"/v1/models{query}", headers={"anthropic-version": OLD})
    page = answer.json()
    return [one["id"] for one in page["data"]], page["has_more"], page["first_id"], page["last_id"]
