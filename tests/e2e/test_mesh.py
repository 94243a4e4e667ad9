"""Agents of a mesh that register with a fleet: one registry, whichever pod is asked."""

from harness.installed import Gateway
from harness.process import wait_until

PATIENCE_SECONDS = 60
"""Names of pods that came or went are remembered in a cluster for half a minute."""


def test_all_pods_know_an_agent(gateway: Gateway) -> None:
    """Whichever pod it told; and when the pod that keeps the registry is gone, agents tell all and are known again."""
    addresses = addresses_of(gateway)
    for number, address in enumerate(addresses):
        answer = gateway.send("/heartbeat", agent(number), address=address)
        assert "success" == answer.json()["status"], answer.body
    assert [names(gateway, address) for address in addresses] == [{"agent-0", "agent-1", "agent-2"}] * len(addresses)
    own = {own_endpoint(gateway, address) for address in addresses}
    assert {f"http://{gateway.release.name}.{gateway.release.namespace}.svc:80"} == own

    keeper = next(pod for pod in gateway.proxies() if pod["status"]["podIP"] == min(addresses))
    gateway.system("delete", "pod", keeper["metadata"]["name"], "--wait=false")
    gateway.system("wait", "--for=delete", f"pod/{keeper['metadata']['name']}", "--timeout=100s")
    gateway.system("rollout", "status", f"deployment/{gateway.release.name}-proxy", "--timeout=100s")
    wait_until(lambda: beats_everywhere(gateway), within_seconds=PATIENCE_SECONDS, what="every pod knows the agent")


def addresses_of(gateway: Gateway) -> list[str]:
    """Of the pods, sorted as their names are."""
    return [pod["status"]["podIP"] for pod in gateway.proxies()]


def agent(number: int) -> dict[str, object]:
    """What an agent tells of itself."""
    return {"agent_id": f"agent-{number}", "name": f"agent-{number}", "tools": []}


def names(gateway: Gateway, address: str) -> set[str]:
    """The agents that a pod lists."""
    listed = gateway.send("/agents", method="GET", address=address).json()["agents"]
    return {each["name"] for each in listed} - {"understudy"}


def own_endpoint(gateway: Gateway, address: str) -> str:
    """Where a pod says that agents call the gateway."""
    listed = gateway.send("/agents", method="GET", address=address).json()["agents"]
    return str(next(each["endpoint"] for each in listed if each["name"] == "understudy"))


def beats_everywhere(gateway: Gateway) -> bool:
    """Tell one pod, as an agent that is told to; whether all pods know it then."""
    addresses = addresses_of(gateway)
    gateway.send("/heartbeat", agent(0), address=addresses[0])
    return {200} == {gateway.send("/heartbeat/agent-0", method="HEAD", address=each).status for each in addresses}
