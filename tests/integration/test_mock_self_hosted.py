"""A mock as vLLM and as llama.cpp, as the real OpenAI SDK sees them."""

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from harness.raw_http import exchange
from understudy.mock import Mock, Settings

SERVERS = ["vllm", "llamacpp"]
HI: Any = [{"role": "user", "content": "Hi"}]
ECHO = 'This is ada, answering as m. You said: "Hi"'


def client_of(mock: Mock) -> openai.AsyncOpenAI:
    """Return the SDK, as its README has it, but without retries."""
    return openai.AsyncOpenAI(base_url=f"{mock.url}/v1", api_key="k", max_retries=0)


@pytest.mark.parametrize("server", SERVERS)
async def test_answers(server: str) -> None:
    """An app notices no difference: not the comment before a stream, and not the fields beside OpenAI's."""
    async with Mock(name="ada", dialect=server) as mock, client_of(mock) as client:
        whole = await client.chat.completions.create(model="m", messages=HI)
        stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
        told = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        completion = await client.completions.create(model="m", prompt="Hi")
    assert (ECHO, ECHO, ECHO) == (whole.choices[0].message.content, told, completion.choices[0].text)


@pytest.mark.parametrize("server", SERVERS)
async def test_an_error_mid_stream(server: str) -> None:
    """What was said arrives, and then the error."""
    told: list[str | None] = []

    async def listen(stream: openai.AsyncStream[ChatCompletionChunk]) -> None:
        async for chunk in stream:
            told.append(chunk.choices[0].delta.content)  # noqa: PERF401 - what came before the error has to stay

    async with Mock(name="ada", dialect=server, faults=["error-after:2"]) as mock, client_of(mock) as client:
        stream = await client.chat.completions.create(model="m", messages=HI, stream=True)
        with pytest.raises(openai.APIError):
            await listen(stream)
    assert ["", "This", " is"] == told


@pytest.mark.parametrize("server", SERVERS)
async def test_a_wrong_key(server: str) -> None:
    """A key that is not known is refused in each server's form, and the SDK knows it by its status."""
    settings = Settings(require_key="right")
    async with Mock(dialect=server, settings=settings) as mock, client_of(mock) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.chat.completions.create(model="m", messages=HI)


@pytest.mark.parametrize(("server", "path"), [("vllm", "/version"), ("llamacpp", "/props"), ("llamacpp", "/slots")])
async def test_what_a_server_tells_of_itself(server: str, path: str) -> None:
    """Each has paths of its own, which count for no fault and which the other mock has not."""
    async with Mock(dialect=server, faults=["500"]) as mock, Mock() as other:
        answers = [await exchange(one.port, "GET", path, b"") for one in (mock, other)]
    assert [200, 404] == [answer.status for answer in answers]


@pytest.mark.parametrize("server", SERVERS)
async def test_health(server: str) -> None:
    """The probe is the mock's own, and fails when told to."""
    async with Mock(dialect=server) as mock:
        well = await exchange(mock.port, "GET", "/health", b"")
        mock.health_status = 503
        ill = await exchange(mock.port, "GET", "/health", b"")
    assert (200, 503) == (well.status, ill.status)
