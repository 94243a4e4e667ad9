"""`understudy serve` before servers that say themselves which models they have."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from harness.commands import Serve, serving
from harness.gateway_files import write
from harness.raw_http import PATIENCE_SECONDS, eventually, exchange
from understudy.mock import Mock, Settings

PROVIDER = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: {name}}}
spec: {{type: {type}, baseURL: "{url}", discovery: {{interval: 1s}}}}
"""
ROUTE = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {{name: chat}}
spec:
  rules:
    - backends: [{backends}]
"""


def provider(name: str, type_: str, url: str) -> str:
    """A provider that lists nothing itself."""
    return PROVIDER.format(name=name, type=type_, url=url)


def route(*backends: str) -> str:
    """A route over `provider/model`, in order."""
    pairs = [backend.split("/") for backend in backends]
    entries = (f"{{providerRef: {{name: {p}}}, model: {m}, priority: {i}}}" for i, (p, m) in enumerate(pairs))
    return ROUTE.format(backends=", ".join(entries))


async def models(serve: Serve) -> set[str]:
    """What callers are told that they may ask for."""
    listed = (await exchange(serve.port, "GET", "/v1/models")).json()
    return {model["id"] for model in listed["data"]}


async def lists(serve: Serve, expected: Iterable[str]) -> None:
    """Wait until callers are told exactly these."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await models(serve) != set(expected):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("type_", "dialect", "path"),
    [
        pytest.param("VLLM", "vllm", "/v1", id="vLLM"),
        pytest.param("LlamaCpp", "llamacpp", "/v1", id="llama.cpp"),
        pytest.param("Ollama", "ollama", "", id="Ollama"),
    ],
)
async def test_a_server_s_models_are_served(tmp_path: Path, type_: str, dialect: str, path: str) -> None:
    """From the first moment, by the name that the server has for them."""
    async with Mock(name="own", dialect=dialect, settings=Settings(models=("small",))) as own:
        files = write(tmp_path / "gateway", own=provider("own", type_, own.url + path))
        async with serving(tmp_path, "-f", str(files)) as serve:
            assert {"own/small"} == await models(serve)
            answer = await serve.ask("own/small")
    assert (200, "own/small") == (answer.status, f"own/{answer.headers['x-understudy-model']}")
    assert "understudy serves own/small\n" in serve.printed


async def test_a_model_that_is_loaded_later_is_served(tmp_path: Path) -> None:
    """Without an edit; and one that is listed no more is gone, unless a file lists it."""
    async with Mock(dialect="vllm", settings=Settings(models=("small",))) as own:
        files = write(tmp_path / "gateway", own=provider("own", "VLLM", f"{own.url}/v1"))
        async with serving(tmp_path, "-f", str(files)) as serve:
            own.settings = Settings(models=("small", "large"))
            await lists(serve, {"own/small", "own/large"})
            await serve.says("servers were asked for their models: revision ")
            own.settings = Settings(models=("large",))
            await lists(serve, {"own/large"})
            listed = provider("own", "VLLM", f"{own.url}/v1").replace("discovery", "models: [{name: small}], discovery")
            (files / "own.yaml").write_text(listed)
            await lists(serve, {"own/small", "own/large"})
            await serve.says("spec.models[0]: the server does not list small now; it is asked for it all the same")


async def test_a_server_that_starts_after_the_gateway(tmp_path: Path) -> None:
    """The gateway serves all else, says what is missing, and serves the rest as soon as it is there."""
    own = Mock(name="own", dialect="vllm", settings=Settings(models=("small",)))
    async with AsyncExitStack() as stack:
        await own.start()
        stack.push_async_callback(own.close)
        await own.stop()
        other = await stack.enter_async_context(Mock(name="other", dialect="vllm", settings=Settings(models=("m",))))
        files = write(
            tmp_path / "gateway",
            own=provider("own", "VLLM", f"{own.url}/v1"),
            other=provider("other", "VLLM", f"{other.url}/v1"),
            route=route("own/small", "other/m"),
        )
        serve = await stack.enter_async_context(serving(tmp_path, "-f", str(files)))
        assert f"spec.discovery: {own.url}/v1 cannot be connected to; it is asked again every 1s" in serve.printed
        assert (await serve.ask()).headers["x-understudy-provider"] == "default/other"
        await own.start()
        await lists(serve, {"chat", "own/small", "other/m"})
        assert (await serve.ask()).headers["x-understudy-provider"] == "default/own"
        # An edit is not held back by a server that is gone again, nor does its going take anything out.
        await own.stop()
        await serve.says(f"{own.url}/v1 cannot be connected to", times=2)
        (files / "route.yaml").write_text(route("other/m", "own/small"))
        await serve.says("reloaded: revision ")
        assert await models(serve) == {"chat", "own/small", "other/m"}


async def test_a_provider_and_a_route_to_its_models_in_one_edit(tmp_path: Path) -> None:
    """The server is asked before the route is judged."""
    async with Mock(dialect="vllm", settings=Settings(models=("small",))) as own:
        files = write(tmp_path / "gateway", own=provider("own", "VLLM", f"{own.url}/v1"))
        async with serving(tmp_path, "-f", str(files)) as serve:
            (files / "new.yaml").write_text(
                f"{provider('new', 'VLLM', f'{own.url}/v1')}---\n{route('new/small', 'own/small')}"
            )
            await lists(serve, {"chat", "own/small", "new/small"})
            assert "error" not in serve.printed


async def test_a_llama_cpp_that_loads_its_model_is_stepped_over(tmp_path: Path) -> None:
    """Its 503 is no answer for a caller as long as somebody else has one."""
    async with (
        Mock(name="own", dialect="llamacpp", faults=["503"], settings=Settings(models=("small",))) as own,
        Mock(name="other", dialect="vllm", settings=Settings(models=("m",))) as other,
    ):
        files = write(
            tmp_path / "gateway",
            own=provider("own", "LlamaCpp", f"{own.url}/v1"),
            other=provider("other", "VLLM", f"{other.url}/v1"),
            route=route("own/small", "other/m"),
        )
        async with serving(tmp_path, "-f", str(files)) as serve:
            answer = await serve.ask()
    assert (200, "default/other", "overloaded") == (
        answer.status,
        answer.headers["x-understudy-provider"],
        answer.headers["x-understudy-reason"],
    )


async def test_a_llama_cpp_without_a_free_slot_is_spared(tmp_path: Path) -> None:
    """Its slots are asked for with its models: one request more goes to whoever is next."""
    slow = Settings(models=("small",), tokens=1000, token_interval=0.05)
    async with (
        Mock(name="own", dialect="llamacpp", settings=slow) as own,
        Mock(name="other", dialect="vllm", settings=Settings(models=("m",))) as other,
    ):
        files = write(
            tmp_path / "gateway",
            own=provider("own", "LlamaCpp", f"{own.url}/v1"),
            other=provider("other", "VLLM", f"{other.url}/v1"),
            route=route("own/small", "other/m"),
        )
        async with serving(tmp_path, "-f", str(files)) as serve:
            stuck = [asyncio.create_task(serve.ask(stream=True)) for _ in range(4)]
            await eventually(lambda: own.stats.in_flight == 4)
            answer = await serve.ask()
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
    assert ("default/other", "busy", "1") == (
        answer.headers["x-understudy-provider"],
        answer.headers["x-understudy-reason"],
        answer.headers["x-understudy-attempts"],
    )
