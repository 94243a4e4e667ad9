"""Conversations that the gateway remembers, while its configuration changes."""

import json
from typing import Any

from harness.installed import Gateway

API = "understudy.dev/v1alpha1"
QUESTIONS = ("My name is Ada.", "What is my name?", "And once more?")
RECORDED = """
import json, sys, urllib.request
records = json.load(urllib.request.urlopen("http://mock-a:8000/_mock/requests", timeout=10))
print(json.dumps([record["body"]["messages"] for record in records if sys.argv[1] in json.dumps(record["body"])][-1]))
"""


def test_a_conversation_goes_on_across_a_reload(gateway: Gateway) -> None:
    """What was said before an edit is known after it, in order, and the edit counts from the next turn on.

    One proxy is asked all the time, because each remembers for itself where no store is shared.
    """
    gateway.apply(diarist(0))
    gateway.kubectl("wait", "--for=condition=Programmed", "persona/diarist", "--timeout=30s")
    address = gateway.proxies()[0]["status"]["podIP"]
    made = gateway.send("/v1/sessions", {"ttl_seconds": 600}, address=address)
    assert 201 == made.status, made.body
    session = made.json()["id"]
    answers = []
    for number, question in enumerate(QUESTIONS):
        if number:
            gateway.apply(diarist(number))
            generation = int(gateway.get("persona", "diarist")["metadata"]["generation"])
            gateway.wait_until_live(generation, kind="persona", name="diarist", seconds=30)
        answers.append(turn(gateway, session, question, address=address, stream=number == 1))

    turns = [each for pair in zip(QUESTIONS, answers, strict=True) for each in pair]
    roles = ["user", "assistant"] * len(QUESTIONS)
    expected = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=True)]
    system, *history = json.loads(gateway.kubectl("exec", "asker", "--", "python3", "-c", RECORDED, QUESTIONS[-1]))
    assert f"You keep diary {len(QUESTIONS) - 1}." == system["content"]
    assert expected[:-1] == history
    kept = gateway.send(f"/v1/sessions/{session}", method="GET", address=address)
    assert turns == [message["content"] for message in kept.json()["messages"]]
    gateway.send(f"/v1/sessions/{session}", method="DELETE", address=address)
    assert 404 == gateway.send(f"/v1/sessions/{session}", method="GET", address=address).status


def turn(gateway: Gateway, session: str, question: str, *, address: str, stream: bool) -> str:
    """One turn: what is answered. A stream names its session in a header, as SDKs do."""
    body: dict[str, Any] = {"model": "persona/diarist", "messages": [{"role": "user", "content": question}]}
    if stream:
        named, body["stream"] = {"x-session-id": session}, True
    else:
        named, body["session_id"] = {}, session
    return gateway.send("/v1/chat/completions", body, address=address, headers=named).said()


def diarist(number: int) -> dict[str, Any]:
    """The persona as of an edit."""
    spec = {
        "system": {"text": f"You keep diary {number}."},
        "preferences": [{"providerRef": {"name": "mock-a"}, "model": "mock-large"}],
    }
    return {"apiVersion": API, "kind": "Persona", "metadata": {"name": "diarist"}, "spec": spec}
