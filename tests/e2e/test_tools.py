"""A tool that a pod of an app serves: called by itself, and for a persona in the middle of its answer."""

import json
from pathlib import Path
from typing import Any

from harness.installed import NAMESPACE, Gateway, Sent
from harness.process import wait_until

API = "understudy.dev/v1alpha1"
TILL = Path(__file__).with_name("till.py")
TOKEN = "the-till-s-own"
PRICE = "19.90 dollars"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_tool_in_a_pod(gateway: Gateway) -> None:
    """The apps of its namespace can have it run, and a persona uses it; when its pod is gone the model is told so."""
    program = gateway.add_program(TILL)
    gateway.run_pod("till", ["python3", f"/{program}/{TILL.name}", "8000", TOKEN], config_map=program)
    gateway.kubectl("expose", "pod/till", "--port=80", "--target-port=8000")
    gateway.apply(secret(), tool(), seller())
    gateway.kubectl("wait", "--for=condition=Programmed", "llmtool/book-price", "persona/seller", "--timeout=30s")
    wait_until(lambda: execute(gateway).json()["success"] is True, within_seconds=20, what="the tool answers")

    done = execute(gateway)
    assert (200, {"success": True, "result": {"title": "Understudies", "price": PRICE}}) == (done.status, done.json())
    assert 404 == execute(gateway, namespace="elsewhere").status
    wrong = execute(gateway, arguments={"title": 7})
    assert (400, False) == (wrong.status, wrong.json()["success"])
    assert "title" in wrong.json()["error"]

    called = len(calls(gateway))
    assert PRICE in ask(gateway)
    assert PRICE in ask(gateway, stream=True)
    wait_until(lambda: len(calls(gateway)) == called + 2, within_seconds=10, what="the till has told of both calls")
    assert [TRACE, TRACE] == [call["trace"] for call in calls(gateway)[called:]]

    gateway.kubectl("delete", "pod/till", "--grace-period=1")
    gone = execute(gateway)
    assert (200, False) == (gone.status, gone.json()["success"])
    assert "book_price failed" in ask(gateway)


def secret() -> dict[str, Any]:
    """What the gateway needs to know to be let in by the till."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "till"}, "stringData": {"token": TOKEN}}


def tool() -> dict[str, Any]:
    """The tool, for the apps and personas of its namespace."""
    handler = {
        "serviceRef": {"name": "till", "port": 80},
        "path": "/price",
        "auth": {"bearer": {"secretKeyRef": {"name": "till", "key": "token"}}},
        "timeout": "5s",
    }
    parameters = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    spec = {"description": "What a book costs", "parameters": parameters, "handler": {"http": handler}}
    return {"apiVersion": API, "kind": "LLMTool", "metadata": {"name": "book-price"}, "spec": spec}


def seller() -> dict[str, Any]:
    """A persona whose calls of the tool the gateway runs."""
    spec = {
        "system": {"text": "You sell books."},
        "tools": {"refs": [{"name": "book-price"}], "mode": "Execute"},
        "preferences": [{"providerRef": {"name": "mock-a"}, "model": "mock-large"}],
    }
    return {"apiVersion": API, "kind": "Persona", "metadata": {"name": "seller"}, "spec": spec}


def execute(gateway: Gateway, *, arguments: Any = None, namespace: str = NAMESPACE) -> Sent:
    """Have the tool run by itself, as an app of a namespace."""
    body = {"name": "book_price", "arguments": arguments or {"title": "Understudies"}}
    return gateway.send(f"/ns/{namespace}/v1/tools/execute", body)


def ask(gateway: Gateway, *, stream: bool = False) -> str:
    """What comes of a question to the persona, in whose answer the mock calls the tool first."""
    question = {"role": "user", "content": "[call: book_price] What does it cost?"}
    body = {"model": "persona/seller", "messages": [question], "stream": stream}
    return gateway.send("/v1/chat/completions", body, headers={"traceparent": TRACE}).said()


def calls(gateway: Gateway) -> list[dict[str, Any]]:
    """What the till was asked."""
    return [json.loads(line) for line in gateway.kubectl("logs", "till").splitlines()]
