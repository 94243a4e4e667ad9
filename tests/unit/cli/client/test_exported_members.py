"""What `from understudy import …` offers, and what it costs."""

import subprocess
import sys

import understudy
from understudy import agents, client
from understudy.agents import providing

HEAVY = {
    "aiohttp",
    "click",
    "kopf",
    "kubernetes",
    "orjson",
    "pydantic",
    "rich",
    "understudy_api",
    "understudy_proxy",
    "yaml",
}


def loaded_after(script: str) -> set[str]:
    """The top-level modules that a program has imported."""
    script += "\nimport sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    return set(printed.split())


def test_every_public_name_is_offered_once_and_in_order() -> None:
    """The package offers what the client does, sorted, and says that it is its own."""
    assert sorted([*client.__all__, *agents.__all__, *providing.__all__]) == sorted(understudy.__all__)
    assert {name: getattr(understudy, name).__module__ for name in understudy.__all__} == dict.fromkeys(
        understudy.__all__, "understudy"
    )
    assert set(understudy.__all__) <= set(dir(understudy))


def test_no_public_name_is_left_out() -> None:
    """What the client's package imports by a public name is in its list."""
    for package, modules in ((client, set()), (agents, {"providing"})):
        public = {name for name in vars(package) if not name.startswith("_")}
        assert public - modules == set(package.__all__)


def test_every_public_name_is_explained() -> None:
    """Each has a docstring of its own."""
    assert [name for name in understudy.__all__ if not getattr(understudy, name).__doc__] == []


def test_the_client_needs_httpx2_alone() -> None:
    """An app pays for nothing of the gateway; pydantic comes with its first tool."""
    loaded = loaded_after("from understudy import AsyncClient, Client\nClient('http://localhost').close()")
    assert "httpx2" in loaded
    assert loaded & HEAVY == set()


def test_a_function_with_a_model_needs_no_more() -> None:
    """What makes an agent is imported where one is made."""
    loaded = loaded_after("from understudy import llm\n@llm()\ndef ask(llm): ...")
    assert loaded & {*HEAVY, "mcp", "starlette", "uvicorn"} == set()


def test_the_package_alone_needs_nothing() -> None:
    """The command line pays for no client."""
    assert "httpx2" not in loaded_after("import understudy")


def test_a_missing_library_is_a_sentence() -> None:
    """It says how to get it; any other name is as missing as in every module."""
    for library, name, extra in (("httpx2", "Client", "client"), ("mcp", "llm_provider", "agents")):
        script = f"import sys; sys.modules[{library!r}] = None\nfrom understudy import {name}"
        done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
        said = f"{name} of understudy needs {library}, which is not installed: pip install 'understudy[{extra}]'"
        assert done.stderr.rstrip().endswith(f"ModuleNotFoundError: {said}"), done.stderr
    assert not hasattr(understudy, "Cleint")
