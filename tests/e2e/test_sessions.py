"""Conversations that the gateway remembers, while its configuration changes."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness.installed import Gateway
from harness.process import wait_until

API = "understudy.dev/v1alpha1"
QUESTIONS = ("My name is Ada.", "What is my name?", "And once more?")
SLOW = ("--name", "slow", "--token-interval", "200ms")
TOLD = """
import sys, urllib.request
print(urllib.request.urlopen("http://slow:8000/_mock/" + sys.argv[1], timeout=10).read().decode())
"""


def test_a_conversation_goes_on_across_reloads(gateway: Gateway) -> None:
    """What was said before an edit, and in the middle of one, is known after it; the edit counts from the next turn on.

    One proxy is asked all the time, because each remembers for itself where no store is shared.
    """
    gateway.run_pod("slow", ["understudy", "mock", "--host", "0.0.0.0", "--port", "8000", *SLOW])
    gateway.kubectl("expose", "pod/slow", "--port=8000")
    gateway.apply(slow(), diarist(0))
    gateway.kubectl("wait", "--for=condition=Programmed", "persona/diarist", "--timeout=30s")
    wait_until(lambda: gateway.send(*asked("Hi")).status == 200, within_seconds=20, what="the slow one answers")
    address = gateway.proxies()[0]["status"]["podIP"]
    made = gateway.send("/v1/sessions", {"ttl_seconds": 600}, address=address)
    assert 201 == made.status, made.body
    session = made.json()["id"]

    path, body = asked(QUESTIONS[0], session_id=session)
    answers = [gateway.send(path, body, address=address).said()]
    edit(gateway, 1)
    path, body = asked(QUESTIONS[1], stream=True)
    with ThreadPoolExecutor(1) as meanwhile:
        streamed = meanwhile.submit(gateway.send, path, body, address=address, headers={"x-session-id": session})
        wait_until(lambda: told(gateway, "stats")["in_flight"] == 1, within_seconds=10, what="the answer has begun")
        edit(gateway, 2)
        answers.append(streamed.result().said())
    path, body = asked(QUESTIONS[2], session_id=session)
    answers.append(gateway.send(path, body, address=address).said())

    turns = [each for pair in zip(QUESTIONS, answers, strict=True) for each in pair]
    system, *history = told(gateway, "requests")[-1]["body"]["messages"]
    assert "You keep diary 2." == system["content"]
    assert turns[:-1] == [message["content"] for message in history]
    kept = gateway.send(f"/v1/sessions/{session}", method="GET", address=address).json()["messages"]
    assert list(zip(["user", "assistant"] * 3, turns, strict=True)) == [
        (each["role"], each["content"]) for each in kept
    ]
    gateway.send(f"/v1/sessions/{session}", method="DELETE", address=address)
    assert 404 == gateway.send(f"/v1/sessions/{session}", method="GET", address=address).status


def asked(question: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """Where a question to the persona goes, and its body."""
    messages = [{"role": "user", "content": question}]
    return "/v1/chat/completions", {"model": "persona/diarist", "messages": messages, **fields}


def edit(gateway: Gateway, number: int) -> None:
    """Give the persona another prompt, on all proxies."""
    gateway.apply(diarist(number))
    generation = int(gateway.get("persona", "diarist")["metadata"]["generation"])
    gateway.wait_until_live(generation, kind="persona", name="diarist", seconds=30)


def told(gateway: Gateway, topic: str) -> Any:
    """What the slow one tells about itself."""
    return json.loads(gateway.kubectl("exec", "asker", "--", "python3", "-c", TOLD, topic))


def slow() -> dict[str, Any]:
    """A provider whose streams take seconds."""
    spec = {"type": "OpenAICompatible", "serviceRef": {"name": "slow", "port": 8000}, "models": [{"name": "m"}]}
    return {"apiVersion": API, "kind": "LLMProvider", "metadata": {"name": "slow"}, "spec": spec}


def diarist(number: int) -> dict[str, Any]:
    """The persona as of an edit."""
    preferences = [{"providerRef": {"name": "slow"}, "model": "m"}]
    spec = {"system": {"text": f"You keep diary {number}."}, "preferences": preferences}
    return {"apiVersion": API, "kind": "Persona", "metadata": {"name": "diarist"}, "spec": spec}
