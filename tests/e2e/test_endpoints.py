"""Pods behind one headless Service: each is an endpoint with health of its own, and comes and goes unnoticed."""

import json
from typing import Any

from harness.installed import NAMESPACE, Gateway
from harness.kubectl import KubectlError
from harness.process import wait_until

API = "understudy.dev/v1alpha1"
PODS = ("fleet-0", "fleet-1")
FAULTS = """
import sys, urllib.request
address, faults = sys.argv[1:]
request = urllib.request.Request(f"http://{address}:8000/_mock/faults", faults.encode(), method="PUT")
urllib.request.urlopen(request, timeout=5)
"""
EXPLAIN = """
import sys, urllib.request
url = f"http://localhost:9090/explain?model=fleet&namespace={sys.argv[1]}"
print(urllib.request.urlopen(url, timeout=5).read().decode())
"""


def test_each_pod_of_a_headless_service_has_its_own_health(gateway: Gateway) -> None:
    """Both answer; the one that fails is ejected alone and is back when it is well; the one that goes is not missed."""
    for pod in PODS:
        gateway.run_pod(pod, ["understudy", "mock", "--host", "0.0.0.0", "--port", "8000", "--name", pod])
        gateway.kubectl("label", f"pod/{pod}", "fleet=yes")
    gateway.apply(*fleet_objects())
    gateway.kubectl("wait", "--for=condition=Programmed", "llmroute/fleet", "--timeout=30s")
    wait_until(lambda: both_are_known(gateway), within_seconds=60, what="both pods answer")

    bad = gateway.get("pod", PODS[0])["status"]["podIP"]
    set_faults(gateway, bad, ["500"])
    assert {PODS[1]} == who_answers(gateway), "the failing pod is stepped over"
    assert {f"{bad}:8000"} == ejected(gateway)

    set_faults(gateway, bad, [])
    wait_until(lambda: all_are_back(gateway), within_seconds=120, what="the pod that recovered answers, by every proxy")

    gateway.kubectl("delete", f"pod/{PODS[1]}")
    assert {PODS[0]} == who_answers(gateway), "once for each proxy it may cost a connect timeout, and no more"


def who_answers(gateway: Gateway, times: int = 12) -> set[str]:
    """The pods behind so many answers; a request without an answer is an error."""
    return {gateway.ask("fleet")["said"].removeprefix("This is ").partition(",")[0] for _ in range(times)}


def both_are_known(gateway: Gateway) -> bool:
    """Whether both pods answer; right after their Service was made its name may not resolve yet."""
    try:
        return set(PODS) == who_answers(gateway)
    except KubectlError:
        return False


def all_are_back(gateway: Gateway) -> bool:
    """Whether both pods answer, and no proxy passes one over: without it a proxy would be left with nobody."""
    return set(PODS) == who_answers(gateway) and not ejected(gateway)


def set_faults(gateway: Gateway, address: str, faults: list[str]) -> None:
    """Tell a mock how to behave."""
    gateway.kubectl("exec", "asker", "--", "python3", "-c", FAULTS, address, json.dumps(faults))


def ejected(gateway: Gateway) -> set[str]:
    """The addresses that any proxy passes over, as it says itself."""
    names = [pod["metadata"]["name"] for pod in gateway.proxies()]
    told = [json.loads(gateway.system("exec", name, "--", "python3", "-c", EXPLAIN, NAMESPACE)) for name in names]
    return {skip["address"] for each in told for skip in each["skipped"] if skip["because"] == "ejected"}


def fleet_objects() -> tuple[dict[str, Any], ...]:
    """A headless Service, a provider of what is behind it, quick to give up and eject, a route without understudy."""
    service = {"clusterIP": "None", "selector": {"fleet": "yes"}, "ports": [{"port": 8000}]}
    provider = {
        "type": "OpenAICompatible",
        "serviceRef": {"name": "fleet", "port": 8000},
        "models": [{"name": "m"}],
        "timeouts": {"connect": "1s"},
        "health": {"consecutiveFailures": 1, "ejectionDuration": "30s", "maxEjectionDuration": "30s"},
    }
    rules = [{"backends": [{"providerRef": {"name": "fleet"}, "model": "m"}]}]
    name = {"name": "fleet"}
    return (
        {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": service},
        {"apiVersion": API, "kind": "LLMProvider", "metadata": name, "spec": provider},
        {"apiVersion": API, "kind": "LLMRoute", "metadata": name, "spec": {"rules": rules}},
    )
