"""One question to one server, over real sockets: what goes out, what is taken, and how a failure is told."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import certificates
from harness.raw_upstream import Line, RawUpstream, answering
from understudy.mock import Mock, Settings
from understudy_api.config import TLS
from understudy_api.v1alpha1.provider import ProviderType
from understudy_operator.compile import Discovered, Inquiry
from understudy_operator.discovery import Servers
from understudy_operator.discovery.asking import NoAnswer

LISTED = b'{"data": [{"id": "m"}]}'


def inquiry(type_: ProviderType, base_url: str, **said: Any) -> Inquiry:
    """How `ai/own` is asked."""
    return Inquiry(("ai", "own"), type_, base_url, interval_seconds=30, connect_seconds=5, **said)


async def ask(question: Inquiry, before: Discovered | None = None) -> Discovered:
    """Ask once."""
    async with Servers() as servers:
        return await servers.ask(question, before)


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole response, after which the connection closes."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


class Requests:
    """A server that notes what it is asked and answers each path with what a test says."""

    def __init__(self, **answers: bytes) -> None:
        self.answers = {f"/{path.replace('_', '/')}": answer for path, answer in answers.items()}
        self.lines: list[str] = []
        self.headers: dict[str, str] = {}

    async def __call__(self, line: Line) -> None:
        """One connection."""
        received = await line.request()
        self.lines.append(received.line)
        self.headers = received.headers
        path = received.line.split(" ")[1]
        await line.send(self.answers.get(path, response("404 Not Found")))


@pytest.mark.parametrize(
    ("type_", "dialect", "path"),
    [
        pytest.param(ProviderType.VLLM, "vllm", "/v1", id="vLLM"),
        pytest.param(ProviderType.LLAMA_CPP, "llamacpp", "/v1", id="llama.cpp"),
        pytest.param(ProviderType.OLLAMA, "ollama", "", id="Ollama"),
        pytest.param(ProviderType.OPENAI_COMPATIBLE, "openai", "/v1", id="any other"),
    ],
)
async def test_each_type_is_asked_in_its_own_way(type_: ProviderType, dialect: str, path: str) -> None:
    """Each server's own paths give its models."""
    async with Mock(dialect=dialect, settings=Settings(models=("one", "two"))) as mock:
        found = await ask(inquiry(type_, mock.url + path))
    assert ["one", "two"] == [model.name for model in found.models or ()]


async def test_a_llama_cpp_with_one_model_answers_to_any_name() -> None:
    """And says how many requests it works on; behind a path of its own, too."""
    props = response("200 OK", b'{"total_slots": 3, "default_generation_settings": {"n_ctx": 512}}')
    told = Requests(llm_v1_models=response("200 OK", LISTED), llm_props=props)
    async with RawUpstream(told) as server:
        found = await ask(inquiry(ProviderType.LLAMA_CPP, f"http://127.0.0.1:{server.port}/llm/v1"))
    assert (True, 3, 512) == (found.any_name, found.slots, (found.models or ())[0].context_window)


async def test_a_router_of_llama_cpp_goes_by_names() -> None:
    """With one model, too: it is no server that answers to any name."""
    told = Requests(v1_models=response("200 OK", LISTED), props=response("200 OK", b'{"role": "router"}'))
    async with RawUpstream(told) as server:
        found = await ask(inquiry(ProviderType.LLAMA_CPP, f"http://127.0.0.1:{server.port}/v1"))
    assert (False, None) == (found.any_name, found.slots)


@pytest.mark.parametrize(
    ("status", "fails"),
    [
        pytest.param("404 Not Found", False, id="older, without the path"),
        pytest.param("501 Not Implemented", False, id="switched off"),
        pytest.param("503 Service Unavailable", True, id="loading"),
        pytest.param("401 Unauthorized", True, id="a key is wanted"),
    ],
)
async def test_properties_that_are_not_told(status: str, *, fails: bool) -> None:
    """A server without properties has models; one that does not tell them now is not taken for one without."""
    told = Requests(v1_models=response("200 OK", LISTED), props=response(status))
    async with RawUpstream(told) as server:
        question = inquiry(ProviderType.LLAMA_CPP, f"http://127.0.0.1:{server.port}/v1")
        if fails:
            with pytest.raises(NoAnswer, match="answers /props with HTTP"):
                await ask(question)
        else:
            assert (await ask(question)).slots is None


async def test_ollama_shows_a_model_once() -> None:
    """What has the same digest is not looked at again; what is new is."""
    async with Mock(dialect="ollama", settings=Settings(models=("one",))) as mock:
        question = inquiry(ProviderType.OLLAMA, mock.url)
        first = await ask(question)
        mock.settings = Settings(models=("one", "two"))
        second = await ask(question, first)
        shown = [json.loads(each.body)["model"] for each in mock.requests if each.path == "/api/show"]
    assert ["one", "two"] == [model.name for model in second.models or ()] == shown


async def test_a_model_that_cannot_be_shown_is_listed_all_the_same() -> None:
    """Deleted between two questions, or too new for its server: looked at again the next time."""
    tags = b'{"models": [{"name": "gone:latest", "digest": "abc"}]}'
    async with RawUpstream(Requests(api_tags=response("200 OK", tags))) as server:
        found = await ask(inquiry(ProviderType.OLLAMA, f"http://127.0.0.1:{server.port}"))
    assert [("gone", None, "")] == [(each.name, each.capabilities, each.version) for each in found.models or ()]


async def test_a_server_is_asked_as_requests_to_it_are() -> None:
    """With the provider's key and headers, and nothing else that could tell on anybody."""
    told = Requests(v1_models=response("200 OK", LISTED))
    async with RawUpstream(told) as server:
        headers = {"X-Team": "search", "Authorization": "Bearer sk-1"}
        await ask(inquiry(ProviderType.VLLM, f"http://127.0.0.1:{server.port}/v1", headers=headers))
    assert ["GET /v1/models HTTP/1.1"] == told.lines
    assert ("understudy", "identity") == (told.headers["user-agent"], told.headers["accept-encoding"])
    assert {"x-team", "authorization", "host", "user-agent", "accept", "accept-encoding"} == told.headers.keys()


async def test_a_certificate_of_ones_own_is_trusted(tmp_path: Path) -> None:
    """With the provider's bundle and server name; without them the sentence says where to look."""
    made = certificates(tmp_path, host="models.internal")
    if made is None:
        pytest.skip("openssl is not there")
    async with RawUpstream(answering(response("200 OK", LISTED)), tls=made.serving()) as server:
        question = inquiry(ProviderType.VLLM, f"https://127.0.0.1:{server.port}/v1")
        trusted = TLS(ca_pem=made.ca.read_text(), server_name="models.internal")
        assert len((await ask(replace(question, tls=trusted))).models or ()) == 1
        with pytest.raises(NoAnswer, match=r"^has a certificate that is not trusted: see spec\.tls$"):
            await ask(question)


SECRET = "sk-canary"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(response("401 Unauthorized", SECRET.encode()), "HTTP 401: check spec.auth", id="no key"),
        pytest.param(response("404 Not Found"), "HTTP 404: is its address right, and its type?", id="no such path"),
        pytest.param(
            response("302 Found", b"", "Location: http://169.254.169.254/"),
            "HTTP 302, and redirects are not followed",
            id="elsewhere",
        ),
        pytest.param(
            response("503 Service Unavailable", b'{"error":{"message":"Loading model"}}'), "503", id="loading"
        ),
        pytest.param(response("200 OK", b"<html>"), "answers /models with what is not JSON", id="a page"),
        pytest.param(
            response("200 OK", gzip.compress(b" " * 10**6), "Content-Encoding: gzip"),
            "answers /models with what is not JSON",
            id="compressed although nobody asked for that",
        ),
        pytest.param(response("200 OK", b"[" * 100_000), "answers /models with what is not JSON", id="deep"),
        pytest.param(response("200 OK", b"{}"), "answers without a list of models: is its type right?", id="no list"),
        pytest.param(response("200 OK", b" " * (5 * 1024**2)), "answers with more than 4 MiB", id="endless"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", "does not answer in HTTP as it should", id="no HTTP"),
        pytest.param(b"", "does not answer in HTTP as it should", id="nothing"),
    ],
)
async def test_a_failure_in_plain_words(answer: bytes, told: str) -> None:
    """The same words each time, without anything that the server said."""

    async def script(line: Line) -> None:
        await line.request()
        await line.send(answer)

    async with RawUpstream(script) as server:
        question = inquiry(ProviderType.VLLM, f"http://127.0.0.1:{server.port}/v1")
        with pytest.raises(NoAnswer) as first:
            await ask(question)
        with pytest.raises(NoAnswer) as second:
            await ask(question)
    assert told in str(first.value)
    assert str(first.value) == str(second.value)
    assert SECRET not in str(first.value)


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        pytest.param("http://127.0.0.1:1/v1", "cannot be connected to", id="nobody listens"),
        pytest.param("http://nobody.invalid/v1", "has a name that does not resolve", id="no such name"),
    ],
)
async def test_a_server_that_is_not_there(base_url: str, told: str) -> None:
    """Whether it is the name or the port is worth knowing."""
    with pytest.raises(NoAnswer, match=f"^{told}$"):
        await ask(inquiry(ProviderType.VLLM, base_url))


async def test_a_long_list_is_cut() -> None:
    """As many as an object may list, and how many are left out."""
    listed = json.dumps({"data": [{"id": f"m{number:03}"} for number in range(300)]}).encode()
    async with RawUpstream(answering(response("200 OK", listed))) as server:
        found = await ask(inquiry(ProviderType.OPENAI_COMPATIBLE, f"http://127.0.0.1:{server.port}/v1"))
    models = found.models or ()
    assert (256, "m000", "m255", 44) == (len(models), models[0].name, models[-1].name, found.left_out)
