"""How an explanation reads, and what becomes of a question that nobody answers."""

import asyncio
from pathlib import Path
from typing import Any

import click
import pytest
from aiohttp import web

from harness.gateway_files import provider, route, write
from understudy.explaining import Imagined, NoExplanation, as_text, from_gateway, from_snapshot
from understudy.local import from_files
from understudy_api.config import Capability

RULE = {"name": "short", "applies": True, "because": "it matches"}
CHOICE = {"place": 1, "backend": "ai/a:m", "address": None, "priority": 0, "share": None, "because": "the only one"}
SKIP = {"backend": "ai/b:m", "address": None, "because": "ejected", "detail": "it failed", "for_seconds": None}
FOUND: dict[str, Any] = {
    "model": "chat",
    "found": True,
    "kind": "LLMRoute",
    "target": "ai/chat",
    "revision": "abc",
    "rules": [RULE],
    "choices": [CHOICE],
    "skipped": [],
    "retry_after_seconds": None,
}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        pytest.param({"found": False, "nearest": []}, "chat: no such model", id="unknown"),
        pytest.param({"found": False, "nearest": ["cat"]}, "chat: no such model; did you mean cat?", id="one like it"),
        pytest.param(
            {"found": False, "nearest": ["a", "b"]}, "chat: no such model; did you mean a or b?", id="two like it"
        ),
        pytest.param({}, "chat is LLMRoute ai/chat, at revision abc", id="a route"),
        pytest.param(
            {"kind": "Persona", "target": "persona/ai/chat"}, "chat is Persona ai/chat, at revision abc", id="a persona"
        ),
        pytest.param(
            {"kind": "Provider", "target": "provider/ai/a"},
            "chat is a model of LLMProvider ai/a, at revision abc",
            id="a model at a provider",
        ),
        pytest.param({}, "  rule short applies: it matches", id="the rule that applies"),
        pytest.param(
            {"rules": [{"name": "long", "applies": False, "because": "it is short"}]},
            "  rule long does not apply: it is short",
            id="a rule that does not",
        ),
        pytest.param({"rules": [{**RULE, "name": ""}]}, "  its only rule applies: it matches", id="a rule of no name"),
        pytest.param({}, "  1. ai/a:m (priority 0): the only one", id="a choice"),
        pytest.param(
            {"choices": [{**CHOICE, "share": 0.25}]}, "  1. ai/a:m (priority 0, 25% of it): the only one", id="a share"
        ),
        pytest.param({"choices": [{**CHOICE, "share": 1.0}]}, "  1. ai/a:m (priority 0): the only one", id="all of it"),
        pytest.param(
            {"choices": [{**CHOICE, "address": "10.0.0.7:80"}]},
            "  1. ai/a:m at 10.0.0.7:80 (priority 0): the only one",
            id="an address of it",
        ),
        pytest.param({"skipped": [SKIP]}, "  -  ai/b:m is passed over: it failed (ejected)", id="passed over"),
        pytest.param(
            {"skipped": [{**SKIP, "for_seconds": 4.2, "address": "10.0.0.7:80"}]},
            "  -  ai/b:m at 10.0.0.7:80 is passed over: it failed (ejected, for 4.2 s)",
            id="passed over for a while",
        ),
        pytest.param(
            {"skipped": [{**SKIP, "detail": "\x1b[2J\n"}]},
            "  -  ai/b:m is passed over: \ufffd[2J\ufffd (ejected)",
            id="what a terminal would obey",
        ),
        pytest.param({"choices": []}, "  nobody would answer", id="nobody"),
        pytest.param(
            {"choices": [], "retry_after_seconds": 3}, "  nobody would answer, for 3 s more", id="nobody for a while"
        ),
    ],
)
def test_reads(told: dict[str, Any], line: str) -> None:
    """Each part of an explanation has its line."""
    assert line in click.unstyle(as_text({**FOUND, **told})).splitlines()


def test_a_snapshot_is_explained_as_for_its_callers(tmp_path: Path) -> None:
    """From files nothing is ejected, and what a request needs counts."""
    small = provider("small", "http://127.0.0.1:9").replace("{name: m}", "{name: m, contextWindow: 100}")
    large = provider("large", "http://127.0.0.1:9").replace("{name: m}", "{name: m, capabilities: [Chat, Tools]}")
    both = route("small").replace(
        "    - backends:\n", "    - backends:\n        - {providerRef: {name: large}, model: m, priority: 1}\n"
    )
    folder = write(tmp_path, small=small, large=large, route=both)
    snapshot = from_files((str(folder),), environment={}, namespace="team").snapshot

    def backends(**wanted: Any) -> list[str]:
        told = from_snapshot(snapshot, Imagined(model="chat", namespace="team", **wanted))
        return [choice["backend"] for choice in told["choices"]]

    assert backends() == ["team/small:m", "team/large:m"]
    assert backends(tokens=1000) == ["team/large:m"]
    assert backends(stream=True) == ["team/small:m"]
    assert backends(requires=(Capability.VISION, Capability.TOOLS)) == ["team/small:m"]
    assert from_snapshot(snapshot, Imagined(model="small/m", namespace="other"))["found"] is False


ANSWERS = [
    pytest.param(
        {"status": 404, "text": '{"error": {"message": "Nothing here."}}'}, "Nothing here. Is that", id="a public port"
    ),
    pytest.param({"status": 400, "text": '{"error": "tokens is x"}'}, "tokens is x. Is that", id="refused"),
    pytest.param({"status": 200, "text": "<html>"}, "its answer is not JSON. Is that", id="a web page"),
    pytest.param({"status": 200, "text": "[1]"}, "it answers something else. Is that", id="another JSON"),
]


@pytest.mark.parametrize(("answer", "why"), ANSWERS)
async def test_a_server_that_explains_nothing(answer: dict[str, Any], why: str) -> None:
    """Whatever listens there: a sentence with what it said, and what to do."""

    async def handle(_request: web.BaseRequest) -> web.Response:
        return web.Response(**answer)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        with pytest.raises(NoExplanation) as caught:
            await asyncio.to_thread(from_gateway, url, Imagined(model="chat"))
    finally:
        await runner.cleanup()
    assert str(caught.value).startswith(f"no explanation from {url}: {why}")
    assert str(caught.value).endswith("Files are explained by: understudy explain chat -f PATH")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("localhost:9090", "that is no URL; write it such as http://localhost:9090", id="no scheme"),
        pytest.param("gateway", "that is no URL; write it such as http://localhost:9090", id="a word"),
        pytest.param("http://127.0.0.1:1", "cannot connect (", id="nobody listens"),
    ],
)
def test_no_server_at_all(url: str, why: str) -> None:
    """A wrong address is told from a gateway that is down."""
    with pytest.raises(NoExplanation) as caught:
        from_gateway(url, Imagined(model="chat"))
    assert str(caught.value).startswith(f"no explanation from {url}: {why}")
