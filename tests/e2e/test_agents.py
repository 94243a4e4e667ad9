"""Agents in pods, with a fleet of gateways as their registry: `examples/agents-mesh` in a cluster."""

from pathlib import Path
from typing import Any

import yaml

from harness.app_images import build_app
from harness.chart import REPOSITORY
from harness.images import Image
from harness.installed import NAMESPACE, Gateway, Sent
from harness.process import wait_until

EXAMPLE = REPOSITORY / "examples" / "agents-mesh"
PLACE = "The Tempest is in room 2, on the shelf at the window."
QUESTION = "Where is The Tempest?"


def test_agents_of_a_fleet(gateway: Gateway, tmp_path: Path) -> None:
    """Whichever proxy they tell, every proxy finds and asks them; once they are gone a model answers instead."""
    image = build_app(gateway.cluster, "agents", EXAMPLE.glob("*.py"), folder=tmp_path)
    gateway.apply(*objects(), pod(gateway, "team", image, "/opt/app/team.py"))
    addresses = [proxy["status"]["podIP"] for proxy in gateway.proxies()]
    wait_until(
        lambda: all(at_work(gateway, each) for each in addresses), within_seconds=90, what="all proxies ask the agents"
    )

    gateway.apply(pod(gateway, "desk", image, "/opt/app/desk.py", QUESTION))
    gateway.kubectl(
        "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/desk", "--timeout=90s", timeout_seconds=100
    )
    letter, found = gateway.kubectl("logs", "desk").splitlines()
    assert f'You said: "Write a letter to a visitor: {PLACE}"' in letter
    assert f"{NAMESPACE}/archivists: {PLACE}" == found

    gateway.kubectl("delete", "pod/team")
    answers = [ask(gateway, address) for address in addresses]
    assert [(200, f"{NAMESPACE}/main")] * len(addresses) == [(each.status, provider(each)) for each in answers]


def at_work(gateway: Gateway, address: str) -> bool:
    """Whether a proxy knows both agents, and asks one of them."""
    listed = gateway.send("/agents", method="GET", address=address).json()["agents"]
    healthy = {agent["name"] for agent in listed if agent["status"] == "healthy"}
    return {"archivist", "secretary"} <= healthy and provider(ask(gateway, address)) == f"{NAMESPACE}/archivists"


def ask(gateway: Gateway, address: str) -> Sent:
    """One question to a proxy, as an app asks that knows nothing of agents."""
    body = {"model": "archive", "messages": [{"role": "user", "content": QUESTION}]}
    return gateway.send("/v1/chat/completions", body, address=address)


def provider(answer: Sent) -> str | None:
    """Who answered."""
    return answer.headers.get("x-understudy-provider")


def objects() -> list[dict[str, Any]]:
    """Those of the example but for its route `chat`, which the quickstart has, played by a mock of the cluster."""
    text = (EXAMPLE / "gateway.yaml").read_text().replace("http://localhost:8081", f"http://mock-a.{NAMESPACE}:8000")
    return [each for each in yaml.safe_load_all(text) if each["metadata"]["name"] != "chat"]


def pod(gateway: Gateway, name: str, image: Image, *arguments: str) -> dict[str, Any]:
    """A pod that runs a program of the example."""
    container = {
        "name": name,
        "image": image.name,
        "imagePullPolicy": "Never",
        "args": list(arguments),
        "env": [{"name": "LLM_GATEWAY_URL", "value": gateway.url}],
    }
    spec = {"containers": [container], "restartPolicy": "Never"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
