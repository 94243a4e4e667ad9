"""`/internal/llm`: one shape for any model, behind a shared secret, metered by agent."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.gateways import Serving
from harness.personas import BASES, staged
from harness.raw_http import Answer, eventually, exchange
from understudy.mock import Mock

PROXY, MODELS, USAGE = "/internal/llm/proxy", "/internal/llm/models", "/internal/llm/usage"
SECRET = "a-secret-of-the-house"
SETTINGS = {"internal_secret": f"{SECRET},the-next-secret"}
WHO = {"agent_id": "agent-1", "microdao_id": "dao-1", "channel_id": "channel-1"}
QUESTION = [{"role": "user", "content": "Hello"}]
MODEL = "openai/gpt-4.1-mini"


async def ask(port: int, secret: str | None = SECRET, **fields: Any) -> Answer:
    """Ask as an agent."""
    body = {"model": MODEL, "messages": QUESTION, "metadata": WHO, **fields}
    given = {name: value for name, value in body.items() if value is not None}
    headers = {} if secret is None else {"x-internal-secret": secret}
    return await exchange(port, "POST", PROXY, json.dumps(given).encode(), headers)


async def look(port: int, path: str) -> Any:
    """What a list says."""
    answer = await exchange(port, "GET", path, headers={"X-Internal-Secret": SECRET})
    assert 200 == answer.status, answer.body
    return answer.json()


def events(answer: Answer) -> list[dict[str, Any]]:
    """The events of a streamed answer."""
    lines = [line for line in answer.body.decode().split("\n\n") if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def test_an_answer(tmp_path: Path) -> None:
    """Content, tokens, who it was, how long it took and what it cost; nothing of the metadata goes out."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        answer = await ask(serving.port, temperature=0.5, max_tokens=50)
        (asked,) = mock.requests
    said = answer.json()
    usage = said["usage"]
    assert 200 == answer.status
    assert "Hello" in said["content"]
    assert ("openai", "gpt-4.1-mini", "stop") == (said["provider"], said["model_resolved"], said["finish_reason"])
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert said["latency_ms"] > 0
    assert pytest.approx((usage["prompt_tokens"] * 0.4 + usage["completion_tokens"] * 1.6) / 1e6) == said["cost"]
    assert "tool_calls" not in said
    assert 0.5 == asked.json()["temperature"]
    assert b"agent-1" not in asked.body
    assert SECRET not in str(asked.headers)


@pytest.mark.parametrize("model", ["persona/chatbot", "openai/gpt-4.1-mini", "claude_agent/claude-sonnet-4-5"])
async def test_any_name(tmp_path: Path, model: str) -> None:
    """Personas, routes and models of providers."""
    served = staged(tmp_path, {})
    async with Mock() as mock, Serving(staged(tmp_path, dict.fromkeys(BASES, mock)), settings=SETTINGS) as serving:
        answer = await ask(serving.port, model=model)
    assert 200 == answer.status
    assert served.config.providers.keys() >= {f"default/{answer.json()['provider']}"}


async def test_as_it_comes(tmp_path: Path) -> None:
    """Deltas, and at the end all that a whole answer has."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        whole = (await ask(serving.port)).json()
        answer = await ask(serving.port, stream=True)
    *deltas, done = events(answer)
    assert whole["content"] == "".join(delta["content"] for delta in deltas)
    assert whole.keys() - {"content"} == done.keys() - {"type"}
    assert whole["usage"] == done["usage"]


@pytest.mark.parametrize(
    ("secret", "status"),
    [
        pytest.param(SECRET, 200, id="the secret"),
        pytest.param("the-next-secret", 200, id="the one after it"),
        pytest.param(None, 401, id="none"),
        pytest.param("", 401, id="an empty one"),
        pytest.param(SECRET[:-1], 401, id="nearly"),
        pytest.param(f"{SECRET},the-next-secret", 401, id="the setting itself"),
    ],
)
async def test_who_may_come_in(tmp_path: Path, secret: str | None, status: int) -> None:
    """Whoever has one of the secrets, at each of the doors; nobody's secret is logged or told."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        headers = {} if secret is None else {"x-internal-secret": secret}
        answers = [
            await ask(serving.port, secret=secret),
            *[await exchange(serving.port, "GET", path, headers=headers) for path in (MODELS, USAGE)],
        ]
        assert (status == 200) == bool(mock.requests)
        await eventually(lambda: status == 401 or bool(serving.log()))
        logged = json.dumps(serving.log())
    assert [status] * 3 == [answer.status for answer in answers]
    assert SECRET[:-1] not in logged
    for answer in answers if status == 401 else []:
        assert answer.json()["detail"]
        assert SECRET[:-1] not in answer.body.decode()


async def test_closed_without_a_secret(tmp_path: Path) -> None:
    """A gateway that was given none lets nobody in, and says which setting is missing."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock})) as serving:
        answers = [await ask(serving.port, secret=secret) for secret in (None, "", "guess")]
    assert [401] * 3 == [answer.status for answer in answers]
    assert "UNDERSTUDY_INTERNAL_SECRET" in answers[0].json()["detail"]


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        pytest.param({"model": None}, 400, "model", id="no model"),
        pytest.param({"model": ""}, 400, "model", id="an empty model"),
        pytest.param({"model": 1}, 400, "model", id="a number"),
        pytest.param({"model": "gpt-9"}, 404, "gpt-9", id="unknown model"),
        pytest.param({"messages": None}, 400, "messages", id="no messages"),
        pytest.param({"metadata": "me"}, 400, "metadata", id="metadata that is none"),
        pytest.param({"metadata": {"agent_id": 1}}, 400, "metadata.agent_id", id="an agent that is a number"),
        pytest.param({"metadata": {"agent_id": "a" * 257}}, 400, "256 characters", id="an agent with a long name"),
    ],
)
async def test_what_is_wrong_is_told(tmp_path: Path, fields: dict[str, Any], status: int, word: str) -> None:
    """In `detail`."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        answer = await ask(serving.port, **fields)
        assert [] == mock.requests
    assert status == answer.status
    assert word in answer.json()["detail"]


async def test_providers_fail(tmp_path: Path) -> None:
    """502 with a `detail` that names who failed."""
    failing = Mock(faults=["500"])
    async with failing as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        answer = await ask(serving.port)
        used = await look(serving.port, USAGE)
    assert 502 == answer.status
    assert "openai" in answer.json()["detail"]
    assert (1, 0.0) == (used["total_requests"], used["success_rate"])


async def test_a_stream_that_is_cut(tmp_path: Path) -> None:
    """It ends in an error event, and is no success of the agent."""
    cutting = Mock(faults=["cut-after:2"])
    async with cutting as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        answer = await ask(serving.port, stream=True)
        used = await look(serving.port, USAGE)
    assert "error" == events(answer)[-1]["type"]
    assert (1, 0.0) == (used["total_requests"], used["success_rate"])


async def test_ten_a_minute(tmp_path: Path) -> None:
    """The eleventh of an agent waits; another agent does not. Configured otherwise, it is another number."""
    async with Mock() as mock:
        served = staged(tmp_path, {"OpenAI": mock})
        async with Serving(served, settings=SETTINGS) as serving:
            statuses = [(await ask(serving.port)).status for _ in range(10)]
            eleventh = await ask(serving.port)
            other = await ask(serving.port, metadata={"agent_id": "agent-2"})
        async with Serving(served, settings={**SETTINGS, "internal_requests_per_minute": 1}) as serving:
            assert [200, 429] == [(await ask(serving.port)).status for _ in range(2)]
    assert [200] * 10 == statuses
    assert (429, 200) == (eleventh.status, other.status)
    assert 1 <= int(eleventh.headers["retry-after"]) <= 60
    assert "agent-1" in eleventh.json()["detail"]


async def test_what_agents_used(tmp_path: Path) -> None:
    """By any of who asked, within a window; a sum over nothing is zeros."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        first = (await ask(serving.port)).json()
        await ask(serving.port, metadata={"agent_id": "agent-2", "channel_id": "channel-1"}, stream=True)
        mine = await look(serving.port, f"{USAGE}?agent_id=agent-1&since=1h")
        channel = await look(serving.port, f"{USAGE}?channel_id=channel-1")
        dao = await look(serving.port, f"{USAGE}?microdao_id=dao-1")
        nobody = await look(serving.port, f"{USAGE}?agent_id=nobody")
        window = await look(serving.port, f"{USAGE}?agent_id=agent-1&window=1h")
        wrong = [
            (await exchange(serving.port, "GET", f"{USAGE}?{query}", headers={"x-internal-secret": SECRET}))
            for query in ("since=soon", "window=soon", "agent=agent-1")
        ]
    assert ("agent-1", 1, 1.0) == (mine["agent_id"], mine["total_requests"], mine["success_rate"])
    assert first["usage"]["total_tokens"] == mine["total_tokens"]
    assert pytest.approx(first["cost"]) == mine["cost"]
    assert mine["avg_latency_ms"] > 0
    assert (2, 1) == (channel["total_requests"], dao["total_requests"])
    assert (0, 0, 0.0, 0.0, None) == tuple(
        nobody[name] for name in ("total_requests", "total_tokens", "avg_latency_ms", "success_rate", "cost")
    )
    assert mine == window
    assert [400, 400, 400] == [each.status for each in wrong]
    assert "agent_id, microdao_id, channel_id" in wrong[2].json()["detail"]


async def test_what_there_is_to_ask(tmp_path: Path) -> None:
    """Each name, whom it leads to, by which name there, and how long an answer may be."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock}), settings=SETTINGS) as serving:
        models = {each["name"]: each for each in await look(serving.port, MODELS)}
    assert {"persona/chatbot", "openai/gpt-4.1-mini", "gemini/gemini-2.5-flash"} <= models.keys()
    assert {
        "name": "persona/chatbot", "provider": "openai", "physical_name": "gpt-4.1-mini", "max_tokens": 32768,
    } == models["persona/chatbot"]  # fmt: skip
