"""One mock that speaks every dialect at once: told apart by path, and misbehaving in the words of each."""

import json
import shlex
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from harness.raw_http import Answer, RawHttp, exchange
from understudy.mock import Mock, Settings
from understudy.mock.dialects import DIALECTS
from understudy.mock.samples import curl

WORDS = "one two three four five"
TOOL_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@dataclass(frozen=True, slots=True)
class Way:
    """How to ask one API for a chat, in one piece and as a stream.

    Attributes:
        whole: The path for an answer in one piece.
        stream: The path for a stream.
        body: The body that says something to the model; `{"stream": true}` is added where the path does not tell.
        headers: What the API needs besides.
        throttled: How it says in a stream that there were too many requests.
        retry: Where it says when to come back: in this header, or in the body if empty.
    """

    whole: str
    stream: str
    body: Mapping[str, Any]
    throttled: bytes
    headers: Mapping[str, str]
    retry: str = "retry-after"

    def content(self, *, stream: bool) -> bytes:
        """Return the body to send."""
        told_by_path = self.whole != self.stream
        return json.dumps(self.body if told_by_path else {**self.body, "stream": stream}).encode()

    async def ask(self, mock: Mock, *, stream: bool, fault: str = "") -> Answer:
        """Send the request, and return all that came back."""
        headers = {**self.headers, "x-mock-fault": fault} if fault else self.headers
        path = self.stream if stream else self.whole
        return await exchange(mock.port, "POST", path, self.content(stream=stream), headers)


CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
GEMINI = "/v1beta/models/m:generateContent"
VERTEX = "/v1/projects/p/locations/l/publishers/google/models/m:"
ANTHROPIC_HEADERS = {"anthropic-version": "2023-06-01"}
WAYS = {
    "openai": Way("/v1/chat/completions", "/v1/chat/completions", CHAT, b"rate_limit_exceeded", {}),
    "responses": Way("/v1/responses", "/v1/responses", {"model": "m", "input": "Hi"}, b"rate_limit_exceeded", {}),
    "completions": Way(
        "/v1/completions", "/v1/completions", {"model": "m", "prompt": "Hi"}, b"rate_limit_exceeded", {}
    ),
    "azure": Way(
        "/openai/deployments/m/chat/completions?api-version=2024-10-21",
        "/openai/deployments/m/chat/completions?api-version=2024-10-21",
        CHAT,
        b"rate_limit_exceeded",
        {"api-key": "k"},
    ),
    "anthropic": Way(
        "/v1/messages", "/v1/messages", {**CHAT, "max_tokens": 100}, b"rate_limit_error", ANTHROPIC_HEADERS
    ),
    "bedrock": Way(
        "/model/m/converse",
        "/model/m/converse-stream",
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
        b"throttlingException",
        {},
    ),
    "gemini events": Way(
        GEMINI, "/v1beta/models/m:streamGenerateContent?alt=sse", CONTENTS, b"RESOURCE_EXHAUSTED", {}, retry=""
    ),
    "gemini array": Way(
        GEMINI, "/v1beta/models/m:streamGenerateContent", CONTENTS, b"RESOURCE_EXHAUSTED", {}, retry=""
    ),
    "vertex": Way(
        f"{VERTEX}generateContent",
        f"{VERTEX}streamGenerateContent?alt=sse",
        CONTENTS,
        b"RESOURCE_EXHAUSTED",
        {},
        retry="",
    ),
    "ollama": Way("/api/chat", "/api/chat", CHAT, b'{"error":"Rate limit', {}),
    "ollama, one text": Way("/api/generate", "/api/generate", {"model": "m", "prompt": "Hi"}, b'{"error":"Rate', {}),
}
EACH = [pytest.param(way, id=name) for name, way in WAYS.items()]


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    """A mock that says five words, in every dialect."""
    async with Mock(name="ada", settings=Settings(reply=WORDS)) as running:
        yield running


def seen(answer: Answer) -> list[str]:
    """Return which of the words arrived, whatever they are wrapped in."""
    return [word for word in WORDS.split() if word.encode() in answer.body]


@pytest.mark.parametrize("way", EACH)
@pytest.mark.parametrize("stream", [False, True])
async def test_is_told_apart_by_path(mock: Mock, way: Way, stream: bool) -> None:
    """One mock answers each API at its own paths, in one piece and as a stream."""
    answer = await way.ask(mock, stream=stream)
    assert (200, WORDS.split(), True) == (answer.status, seen(answer), answer.complete)
    assert ("m", stream) == (mock.requests[-1].model, mock.requests[-1].stream)


@pytest.mark.parametrize("way", EACH)
@pytest.mark.parametrize(
    ("fault", "words", "complete", "reset"),
    [
        pytest.param("cut-after:2", 2, False, False, id="closed mid-stream"),
        pytest.param("reset-after:2", 2, False, True, id="reset mid-stream"),
        pytest.param("end-after:2", 2, True, False, id="a good end without the end"),
        pytest.param("error-first", 0, True, False, id="error first"),
        pytest.param("role-then-error", 0, True, False, id="error after the role"),
        pytest.param("error-after:2", 2, True, False, id="error mid-stream"),
        pytest.param("garbage", 0, True, False, id="garbage"),
        pytest.param("empty", 0, True, False, id="empty"),
        pytest.param("cut-after:99", 5, False, False, id="closed before the end"),
    ],
)
async def test_a_stream_goes_wrong(mock: Mock, way: Way, fault: str, words: int, complete: bool, reset: bool) -> None:
    """A fault counts what has content, and ends the connection its way, whatever the events are framed in."""
    answer = await way.ask(mock, stream=True, fault=fault)
    assert (200, WORDS.split()[:words]) == (answer.status, seen(answer))
    assert (complete, reset) == (answer.complete, answer.reset)


@pytest.mark.parametrize("way", EACH)
async def test_a_stream_falls_silent(mock: Mock, way: Way) -> None:
    """A stalled stream has said what it should, and its end never comes."""
    async with RawHttp(mock.port) as client:
        headers = {**way.headers, "x-mock-fault": "stall-after:2"}
        client.send("POST", way.stream, way.content(stream=True), headers)
        await client.saw(b"two")
        assert b"three" not in client.received
    assert mock.requests[-1].fault == "stall-after:2"


@pytest.mark.parametrize("way", EACH)
@pytest.mark.parametrize("fault", ["error-first;error=429", "error-after:2;error=429"])
async def test_an_error_in_a_stream_is_in_the_words_of_the_dialect(mock: Mock, way: Way, fault: str) -> None:
    """Each API has its own way to say within a stream that there were too many requests."""
    answer = await way.ask(mock, stream=True, fault=fault)
    assert way.throttled in answer.body


@pytest.mark.parametrize("fault", ["error-first", "error-after:2"])
async def test_an_array_with_an_error_is_an_array(mock: Mock, fault: str) -> None:
    """An error closes the array it is in."""
    answer = await WAYS["gemini array"].ask(mock, stream=True, fault=fault)
    assert "error" in answer.json()[-1]


@pytest.mark.parametrize("way", EACH)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
async def test_a_status(mock: Mock, way: Way, stream: bool, status: int) -> None:
    """A refusal has its status and is JSON, also where a stream was asked for."""
    answer = await way.ask(mock, stream=stream, fault=str(status))
    assert (status, True) == (answer.status, isinstance(answer.json(), dict))
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("way", EACH)
async def test_says_when_to_come_back(mock: Mock, way: Way) -> None:
    """The time to wait is where the vendor has it: in a header, or in the body."""
    answer = await way.ask(mock, stream=True, fault="429;retry-after=2")
    if way.retry:
        assert answer.headers[way.retry] == "2"
    else:
        assert "retry-after" not in answer.headers
        assert b'"2s"' in answer.body


@pytest.mark.parametrize("way", EACH)
async def test_an_error_under_status_200(mock: Mock, way: Way) -> None:
    """An answer in one piece can be an error that its status does not tell."""
    answer = await way.ask(mock, stream=False, fault="error-first;error=503")
    assert (200, []) == (answer.status, seen(answer))
    assert "error" in answer.json() or "message" in answer.json()


@pytest.mark.parametrize("way", EACH)
async def test_a_model_that_is_not_served(mock: Mock, way: Way) -> None:
    """A model is refused by name wherever the name is, in the path or in the body."""
    mock.settings = Settings(models=("other",))
    assert (await way.ask(mock, stream=False)).status == 404


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        pytest.param({}, "object", id="openai"),
        pytest.param(ANTHROPIC_HEADERS, "has_more", id="anthropic"),
        pytest.param({"x-goog-api-key": "k"}, "models", id="gemini"),
    ],
)
async def test_a_shared_path_is_told_apart_by_headers(mock: Mock, headers: Mapping[str, str], found: str) -> None:
    """Three vendors have their models at the same path."""
    assert found in (await exchange(mock.port, "GET", "/v1/models", b"", headers)).json()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param("/v1/chat/completions", {"authorization": "Bearer wrong"}, 401, id="openai"),
        pytest.param("/v1/messages", {**ANTHROPIC_HEADERS, "x-api-key": "wrong"}, 401, id="anthropic"),
        pytest.param("/model/m/converse", {"authorization": "Bearer wrong"}, 403, id="bedrock"),
        pytest.param(GEMINI, {"x-goog-api-key": "wrong"}, 400, id="gemini"),
        pytest.param(f"{GEMINI}?key=wrong", {}, 400, id="gemini, in the query"),
    ],
)
async def test_a_wrong_key(mock: Mock, path: str, headers: Mapping[str, str], status: int) -> None:
    """A key is looked for where the dialect has it, and refused with its status."""
    mock.settings = Settings(require_key="right")
    assert (await exchange(mock.port, "POST", path, b"{}", headers)).status == status


async def test_speaks_one_dialect_alone() -> None:
    """A mock that is to speak one dialect does not know the paths of the others."""
    async with Mock(dialect="anthropic") as mock:
        assert (await WAYS["anthropic"].ask(mock, stream=False)).status == 200
        assert (await WAYS["openai"].ask(mock, stream=False)).status == 404


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_request_to_try_is_answered(dialect: str) -> None:
    """The command prints a request that works, also with a key and a model whose name has to be encoded."""
    settings = Settings(models=("org/m:1",), require_key="KEY", reply=WORDS)
    async with Mock(dialect=dialect, settings=settings) as mock:
        program, url, *options = shlex.split(curl(mock.url, dialect, model="org/m:1", with_key=True))
        told = dict(option.split(": ", 1) for option in options[1:-2:2])
        answer = await exchange(mock.port, "POST", url.removeprefix(mock.url), options[-1].encode(), told)
    assert ("curl", 200, WORDS.split()) == (program, answer.status, seen(answer))


async def test_secrets_are_shown_nowhere(mock: Mock) -> None:
    """Whoever looks at what was received sees no key, wherever it was."""
    secrets = {"x-api-key": "sk-1secret", "x-amz-security-token": "token-2secret", "api-key": "3secret"}
    await exchange(mock.port, "POST", f"{GEMINI}?key=sk-4secret&alt=sse", json.dumps(CONTENTS).encode(), secrets)
    shown = (await exchange(mock.port, "GET", "/_mock/requests", b"")).body
    assert b"alt=sse" in shown
    assert not any(secret in shown for secret in (b"1secret", b"2secret", b"3secret", b"4secret"))
