"""`/api/v1`: conversations with personas by name, who they are, and who could play them."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.gateways import Serving, backend, persona, provider, snapshot
from harness.personas import BASES, staged
from harness.raw_http import Answer, exchange
from understudy.mock import Mock
from understudy_api.config import Dialect, Prompt, PromptPosition, Snapshot, Timeouts

CHAT = "/api/v1/chat"
QUESTION = [{"role": "user", "content": "Hello"}]


async def ask(port: int, persona: Any = "chatbot", *, path: str = CHAT, **fields: Any) -> Answer:
    """Ask a persona."""
    body = {"messages": QUESTION, **({} if persona is None else {"persona": persona}), **fields}
    return await exchange(port, "POST", path, json.dumps(body).encode())


def events(answer: Answer) -> list[dict[str, Any]]:
    """The events of a streamed answer."""
    lines = [line for line in answer.body.decode().split("\n\n") if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


@pytest.mark.parametrize(
    ("persona", "provider", "model", "words"),
    [
        pytest.param("code_assistant", "claude-agent", "claude-sonnet-4-5", "careful Python", id="code_assistant"),
        pytest.param("chatbot", "openai", "gpt-4.1-mini", "friendly companion", id="chatbot"),
        pytest.param("analyst", "claude-agent", "claude-sonnet-4-5", "Name your sources", id="analyst"),
        pytest.param("creative_writer", "gemini", "gemini-2.5-flash", "voice of your own", id="creative_writer"),
    ],
)
@pytest.mark.parametrize("stream", [pytest.param(False, id="whole"), pytest.param(True, id="streamed")])
async def test_the_classic_four(
    tmp_path: Path, persona: str, provider: str, model: str, words: str, *, stream: bool
) -> None:
    """Each is played by whom it prefers, in that provider's own dialect, with its prompt."""
    async with Mock() as mock, Serving(staged(tmp_path, dict.fromkeys(BASES, mock))) as serving:
        answer = await ask(serving.port, persona, stream=stream)
        (asked,) = mock.requests
    assert 200 == answer.status
    if stream:
        *deltas, done = events(answer)
        assert {"delta"} == {event["type"] for event in deltas}
        assert "done" == done.pop("type")
        said = {"persona": persona, "content": "".join(event["content"] for event in deltas), **done}
    else:
        said = answer.json()
    usage = said["usage"]
    assert words in asked.body.decode()
    assert "Hello" in said["content"]
    assert (persona, provider, model, "stop") == (
        said["persona"], said["provider"], said["model"], said["finish_reason"],
    )  # fmt: skip
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert answer.headers["x-understudy-persona-revision"] == said["persona_revision"] != ""


async def test_parameters_reach_the_provider(tmp_path: Path) -> None:
    """What the app says goes before the persona's defaults."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock})) as serving:
        await ask(serving.port, temperature=0.25)
        (asked,) = [request.json() for request in mock.requests]
    assert (0.25, 1024) == (asked["temperature"], asked["max_completion_tokens"])
    assert "persona" not in asked


@pytest.mark.parametrize("persona", ["creative-writer", "creative_writer", "persona/creative_writer"])
async def test_every_spelling_is_the_persona(tmp_path: Path, persona: str) -> None:
    """`-` and `_` are the same, and the prefix of other doors does no harm."""
    async with Mock() as mock, Serving(staged(tmp_path, {"Gemini": mock})) as serving:
        answer = await ask(serving.port, persona)
    assert ("persona/default/creative-writer", persona) == (
        answer.headers["x-understudy-route"], answer.json()["persona"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        pytest.param({"persona": "chatbott"}, 404, ["'chatbott'", "Did you mean chatbot?"], id="a slip"),
        pytest.param({"persona": "zzz"}, 404, ["'zzz'", "GET /api/v1/personas"], id="nothing like it"),
        pytest.param({"persona": None}, 400, ["Name a persona"], id="no persona"),
        pytest.param({"persona": ""}, 400, ["Name a persona"], id="an empty one"),
        pytest.param({"persona": 7}, 400, ["must be a string"], id="a number"),
        pytest.param({"messages": []}, 400, ["messages"], id="no messages"),
        pytest.param({"temperature": "hot"}, 400, ["temperature"], id="a wrong parameter"),
        pytest.param({"stream": "yes"}, 400, ["stream"], id="a wrong stream"),
        pytest.param({"max_tokens": -1}, 400, ["'max_tokens'", "from 1 up"], id="a limit of nothing"),
        pytest.param({"n": 2}, 400, ["one answer"], id="two answers"),
    ],
)
async def test_what_is_wrong_is_told(tmp_path: Path, fields: dict[str, Any], status: int, words: list[str]) -> None:
    """In `detail`, and in the fields that OpenAI's clients know."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock})) as serving:
        answer = await ask(serving.port, **fields)
        assert [] == mock.requests
    said = answer.json()
    assert status == answer.status
    assert said["detail"] == said["error"]["message"]
    assert [] == [word for word in words if word not in said["detail"]]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null"])
async def test_a_body_that_is_none(tmp_path: Path, body: bytes) -> None:
    """What is no object is refused with `detail`."""
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock})) as serving:
        answer = await exchange(serving.port, "POST", CHAT, body)
    assert 400 == answer.status
    assert answer.json()["detail"]


async def test_tool_calls_are_the_apps(tmp_path: Path) -> None:
    """A call of a tool comes whole, in OpenAI's form, streamed or not."""
    tool = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
    asked: dict[str, Any] = {"tools": [tool], "tool_choice": "required"}
    async with Mock() as mock, Serving(staged(tmp_path, {"OpenAI": mock})) as serving:
        whole = (await ask(serving.port, **asked)).json()
        done = events(await ask(serving.port, stream=True, **asked))[-1]
    for said in (whole, done):
        assert "tool_calls" == said["finish_reason"]
        assert ["clock"] == [call["function"]["name"] for call in said["tool_calls"]]


async def test_failover_goes_unnoticed(tmp_path: Path) -> None:
    """The next one plays the role, and the answer says who."""
    async with (
        Mock(faults=["500"]) as ill,
        Mock() as well,
        Serving(staged(tmp_path, {"OpenAI": ill, "Gemini": well})) as serving,
    ):
        answer = await ask(serving.port)
    assert (200, "gemini") == (answer.status, answer.json()["provider"])
    assert "server_error" == answer.headers["x-understudy-reason"]


@pytest.mark.parametrize("fault", ["500", "502", "529", "stall", "reset"])
@pytest.mark.parametrize("stream", [pytest.param(False, id="whole"), pytest.param(True, id="streamed")])
async def test_nobody_answers(tmp_path: Path, fault: str, *, stream: bool) -> None:
    """502 with a `detail` that names each backend, also of a stream that never began."""
    async with Mock(faults=[fault]) as mock:
        served = staged(tmp_path, dict.fromkeys(BASES, mock))
        soon = Timeouts(first_token_seconds=0.1, stream_idle_seconds=0.1, request_seconds=0.5)
        impatient = {key: each.model_copy(update={"timeouts": soon}) for key, each in served.config.providers.items()}
        config = served.config.model_copy(update={"providers": impatient})
        async with Serving(Snapshot(config, served.credentials)) as serving:
            answer = await ask(serving.port, stream=stream)
    assert 502 == answer.status
    assert [] == [name for name in ("openai", "gemini", "claude-agent") if name not in answer.json()["detail"]]


async def test_a_stream_that_is_cut_says_so(tmp_path: Path) -> None:
    """After the last piece comes an error event, no `done`, and the connection is cut."""
    async with Mock(faults=["cut-after:2"]) as mock, Serving(staged(tmp_path, {"OpenAI": mock})) as serving:
        answer = await ask(serving.port, stream=True)
        await serving.reaches("understudy_requests_total", 1, reason="interrupted")
    *deltas, error = events(answer)
    assert (200, False) == (answer.status, answer.complete)
    assert deltas
    assert ("error", error["error"]["message"]) == (error["type"], error["detail"])


async def listed(port: int, path: str) -> dict[str, Any]:
    """What a list has, by name."""
    answer = await exchange(port, "GET", path)
    assert 200 == answer.status
    return {each["name"]: each for each in answer.json()}


async def test_who_the_personas_are(tmp_path: Path) -> None:
    """All that an app shows of them, and whether somebody could play them now."""
    async with Mock() as mock, Serving(staged(tmp_path, dict.fromkeys(BASES, mock))) as serving:
        personas = await listed(serving.port, "/api/v1/personas")
    assert ["analyst", "chatbot", "code-assistant", "creative-writer"] == sorted(personas)
    coder = personas["code-assistant"]
    assert ["claude-agent", "openai", "gemini"] == coder["provider_preferences"]
    assert (["code_assistant"], "Writes, explains and reviews code") == (coder["aliases"], coder["description"])
    assert ["Streaming", "Tools"] == coder["requires"]
    assert {"defaults": {"temperature": 0.2, "max_tokens": 4096}, "overrides": {}} == coder["parameters"]
    assert ([], True, None) == (coder["tools"], coder["available"], coder["why_not"])
    assert [True, True, True] == [backend["available"] for backend in coder["backends"]]


async def test_who_cannot_be_played_and_why(tmp_path: Path) -> None:
    """Once everybody is out, a persona says so, and its providers do."""
    resting = Mock(faults=["429;retry-after=30"])
    async with resting as mock, Serving(staged(tmp_path, dict.fromkeys(BASES, mock))) as serving:
        await ask(serving.port, "analyst")
        personas = await listed(serving.port, "/api/v1/personas")
        providers = await listed(serving.port, "/api/v1/providers")
    assert not personas["analyst"]["available"]
    assert "claude-agent" in personas["analyst"]["why_not"]
    assert personas["chatbot"]["available"]
    assert [False, True, False] == [each["available"] for each in personas["chatbot"]["backends"]]
    assert ["unhealthy", "unhealthy", "healthy"] == [
        providers[name]["health"]["status"] for name in ("claude-agent", "openai", "gemini")
    ]


async def test_who_the_providers_are(tmp_path: Path) -> None:
    """What they can do, how much they take, what they cost and how they are."""
    async with Mock() as mock, Serving(staged(tmp_path, dict.fromkeys(BASES, mock))) as serving:
        providers = await listed(serving.port, "/api/v1/providers")
    claude = providers["claude-agent"]
    assert ["claude-agent", "gemini", "openai"] == sorted(providers)
    assert (["claude_agent"], "Anthropic") == (claude["aliases"], claude["type"])
    assert {"Chat", "Streaming", "Tools"} <= set(claude["capabilities"])
    assert (200000, "Medium") == (claude["max_context"], claude["cost_tier"])
    assert ["claude-sonnet-4-5"] == [model["name"] for model in claude["models"]]
    assert {"status": "healthy", "detail": None} == claude["health"]


async def test_a_provider_without_its_key(tmp_path: Path) -> None:
    """It is listed, and says what it lacks."""
    async with Mock() as mock:
        whole = staged(tmp_path, {"OpenAI": mock})
        values = dict.fromkeys(whole.credentials.values, "")
        without = Snapshot(whole.config, whole.credentials.model_copy(update={"values": values}))
        async with Serving(without) as serving:
            providers = await listed(serving.port, "/api/v1/providers")
            personas = await listed(serving.port, "/api/v1/personas")
    assert "unhealthy" == providers["openai"]["health"]["status"]
    assert "credential" in providers["openai"]["health"]["detail"]
    assert not personas["chatbot"]["available"]


async def test_providers_by_either_spelling(tmp_path: Path) -> None:
    """`claude_agent/…` is the provider `claude-agent`, as a model name from any client."""
    body = json.dumps({"model": "claude_agent/claude-sonnet-4-5", "messages": QUESTION}).encode()
    async with Mock() as mock, Serving(staged(tmp_path, {"Anthropic": mock})) as serving:
        answer = await exchange(serving.port, "POST", "/v1/chat/completions", body)
    assert (200, "default/claude-agent") == (answer.status, answer.headers["x-understudy-provider"])


DOORS = [
    pytest.param(CHAT, {"persona": "chatbot", "messages": QUESTION}, id="api"),
    pytest.param("/v1/chat/completions", {"model": "persona/chatbot", "messages": QUESTION}, id="openai"),
    pytest.param("/v1/responses", {"model": "persona/chatbot", "input": "Hello"}, id="responses"),
    pytest.param("/v1/messages", {"model": "persona/chatbot", "messages": QUESTION, "max_tokens": 9}, id="anthropic"),
    pytest.param("/v1beta/models/persona/chatbot:generateContent", {"contents": [{"parts": [{"text": "Hello"}]}]},
                 id="gemini"),
    pytest.param("/api/chat", {"model": "persona/chatbot", "messages": QUESTION, "stream": False}, id="ollama"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), DOORS)
@pytest.mark.parametrize("kind", [pytest.param("OpenAI", id="to openai"), pytest.param("Anthropic", id="to anthropic")])
async def test_the_role_by_every_door(tmp_path: Path, path: str, body: dict[str, Any], kind: str) -> None:
    """Whatever a client speaks, the prompt arrives, and the answer says which revision of it."""
    first = "{providerRef: {name: openai}, model: gpt-4.1-mini}\n    - {providerRef: {name: gemini}"
    claude = first.replace("openai", "claude-agent").replace("gpt-4.1-mini", "claude-sonnet-4-5")
    edit = (first, claude) if kind == "Anthropic" else ("", "")
    headers = {"anthropic-version": "2023-06-01"}
    async with Mock() as mock:
        served = staged(tmp_path, {kind: mock}, edit=edit)
        async with Serving(served) as serving:
            answer = await exchange(serving.port, "POST", path, json.dumps(body).encode(), headers)
        (asked,) = mock.requests
    assert 200 == answer.status, answer.body
    prompt = served.config.targets["Persona/default/chatbot"].prompt
    assert prompt is not None
    assert "friendly companion" in asked.body.decode()
    assert prompt.revision == answer.headers["x-understudy-persona-revision"]


async def test_an_edited_prompt_can_be_told_apart(tmp_path: Path) -> None:
    """By header and metric; the revision is that of the prompt and not of anything else."""
    before, after, other = tmp_path / "before", tmp_path / "after", tmp_path / "other"
    async with Mock() as mock:
        snapshots = []
        edits = [("", ""), ("put numbers into tables", "draw them"), ("Reads much and sums it up", "For people")]
        for folder, edit in zip((before, after, other), edits, strict=True):
            folder.mkdir()
            snapshots.append(staged(folder, {"Anthropic": mock}, edit=edit))
        async with Serving(snapshots[0]) as serving:
            revisions = []
            for snapshot in snapshots:
                assert await serving.source.push(snapshot)
                answer = await ask(serving.port, "analyst")
                revisions.append(answer.headers["x-understudy-persona-revision"])
            counted = [
                await serving.metric("understudy_persona_requests_total", persona_revision=each, status_class="2xx")
                for each in revisions[1:]
            ]
    assert "draw them" in mock.requests[1].body.decode()
    assert revisions[0] != revisions[1]
    assert revisions[0] == revisions[2]
    assert [1.0, 2.0] == counted


OWN = "Rhyme."
PLACED = [
    pytest.param("/v1/chat/completions", {"messages": [{"role": "system", "content": OWN}, *QUESTION]}, id="openai"),
    pytest.param("/v1/messages", {"system": OWN, "messages": QUESTION, "max_tokens": 9}, id="anthropic"),
    pytest.param("/v1beta/models/persona/chatbot:generateContent",
                 {"systemInstruction": {"parts": [{"text": OWN}]}, "contents": [{"parts": [{"text": "Hello"}]}]},
                 id="gemini"),
    pytest.param("/api/chat", {"messages": [{"role": "system", "content": OWN}, *QUESTION], "stream": False},
                 id="ollama"),
    pytest.param("/api/generate", {"system": OWN, "prompt": "Hello", "stream": False}, id="ollama generate"),
]  # fmt: skip


@pytest.mark.parametrize("position", ["Before", "After", "Replace"])
@pytest.mark.parametrize("actor", ["OpenAI", "Anthropic", "Gemini", "Ollama"])
@pytest.mark.parametrize(("path", "body"), PLACED)
async def test_where_the_prompt_goes(path: str, body: dict[str, Any], actor: str, position: str) -> None:
    """Before the client's own, after it or in its place, whatever either side speaks."""
    async with Mock() as mock:
        served = cast(mock, actor, position=position)
        async with Serving(served) as serving:
            asked = json.dumps({"model": "persona/chatbot", **body}).encode()
            answer = await exchange(serving.port, "POST", path, asked, {"anthropic-version": "2023-06-01"})
        (sent,) = [request.body.decode() for request in mock.requests]
    assert 200 == answer.status, answer.body
    ours, own = sent.find("Be a friend."), sent.find(OWN)
    assert ours >= 0
    assert {"Before": ours < own, "After": 0 <= own < ours, "Replace": own < 0}[position]
    assert "Hello" in sent


def cast(mock: Mock, actor: str, *, position: str) -> Snapshot:
    """A chatbot whom `actor` plays."""
    kinds = {"OpenAI": "openai", "Anthropic": "anthropic", "Gemini": "gemini", "Ollama": "ollama"}
    base = f"{mock.url}/v1" if actor == "OpenAI" else mock.url
    if actor == "Gemini":
        base = f"{mock.url}/v1beta"
    one = provider("one", mock.url).model_copy(update={"dialect": Dialect(kinds[actor]), "base_url": base})
    prompt = Prompt(system="Be a friend.", position=PromptPosition(position))
    return snapshot([one], [persona("chatbot", backend("one"), prompt=prompt)])
