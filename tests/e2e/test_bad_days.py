"""Bad days on a whole cluster: a key that changes, a thousand routes at once, no API server.

The outages come last: for a minute and more after one, Kubernetes' own scheduler places no pod.
"""

import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from harness.installed import NAMESPACE, PROXIES, Gateway
from harness.node import Node
from harness.process import wait_until

OUTAGE_SECONDS = 60
ROUTES = 1000
API = "understudy.dev/v1alpha1"


@pytest.fixture
def own_node(gateway: Gateway) -> Node:
    """The node, where it is one whose API server can be stopped."""
    if not isinstance(gateway.cluster, Node):
        pytest.skip("only the node of these tests has an API server that can be stopped")
    return gateway.cluster


def proxy_pods(gateway: Gateway) -> list[dict[str, Any]]:
    """The proxies."""
    selector = "--selector=app.kubernetes.io/component=proxy"
    found = gateway.cluster.kubectl.get("pods", f"--namespace={gateway.release.namespace}", selector)
    return list(found["items"])


def config_of(pod_ip: str) -> dict[str, Any] | None:
    """What a proxy says it runs; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{pod_ip}:9090/config", timeout=2) as answer:
            shown: dict[str, Any] = json.load(answer)
            return shown
    except OSError:
        return None


def process_of(pod: dict[str, Any]) -> int:
    """The id of a proxy's process, as this machine sees it."""
    (pid,) = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and _is_proxy(entry) and pod["metadata"]["uid"] in _text(entry / "cgroup")
    ]
    return pid


def _is_proxy(entry: Path) -> bool:
    return "understudy_proxy" in _text(entry / "cmdline")


def _text(path: Path) -> str:
    try:
        return path.read_text().replace("_", "-") if path.name == "cgroup" else path.read_text()
    except OSError:
        return ""


def test_a_rotated_key_is_used_within_seconds(gateway: Gateway) -> None:
    """A provider whose key was wrong answers as soon as its Secret is right, without any restart."""
    pods = {pod["metadata"]["uid"] for pod in proxy_pods(gateway)}
    gateway.run_pod("locked", ["understudy", "mock", "--host", "0.0.0.0", "--port", "8000", "--require-key", "new-key"])
    gateway.kubectl("expose", "pod/locked", "--port=8000")
    gateway.apply(secret("old-key"), *locked_objects())
    gateway.kubectl("wait", "--for=condition=Programmed", "llmroute/locked", "--timeout=30s")
    assert f"{NAMESPACE}/mock-b" == gateway.ask("locked")["provider"]
    started = time.monotonic()
    gateway.apply(secret("new-key"))
    gateway.wait_for_provider("locked", model="locked", within_seconds=30)
    sys.stdout.write(f"a rotated key answered after {time.monotonic() - started:.2f} s\n")
    assert pods == {pod["metadata"]["uid"] for pod in proxy_pods(gateway)}
    everything = gateway.cluster.kubectl("get", "configmaps,events,llmproviders,llmroutes", "-A", "--output=yaml")
    assert "new-key" not in everything
    assert "old-key" not in everything


def secret(key: str) -> dict[str, Any]:
    """The Secret of the locked provider."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "locked"}, "stringData": {"api-key": key}}


def locked_objects() -> tuple[dict[str, Any], ...]:
    """A provider that wants a key, and a route with an understudy for it."""
    provider = {
        "type": "OpenAICompatible",
        "serviceRef": {"name": "locked", "port": 8000},
        "auth": {"apiKey": {"secretKeyRef": {"name": "locked", "key": "api-key"}}},
        "models": [{"name": "vault"}],
    }
    backends = [
        {"providerRef": {"name": "locked"}, "model": "vault"},
        {"providerRef": {"name": "mock-b"}, "model": "mock-small", "priority": 1},
    ]
    return (
        {"apiVersion": API, "kind": "LLMProvider", "metadata": {"name": "locked"}, "spec": provider},
        {
            "apiVersion": API,
            "kind": "LLMRoute",
            "metadata": {"name": "locked"},
            "spec": {"rules": [{"backends": backends}]},
        },
    )


@pytest.mark.timeout(400, func_only=True)
def test_a_thousand_routes(gateway: Gateway) -> None:
    """All of them are live on all proxies, and an edit of one then is no slower."""
    backends = [{"providerRef": {"name": "mock-a"}, "model": "mock-large"}]
    routes = [
        {
            "apiVersion": API,
            "kind": "LLMRoute",
            "metadata": {"name": f"bulk-{number:04}", "labels": {"bulk": "yes"}},
            "spec": {"rules": [{"backends": backends}]},
        }
        for number in range(ROUTES)
    ]
    gateway.apply(*routes)
    last = f"bulk-{ROUTES - 1:04}"
    gateway.wait_until_live(1, name=last, seconds=120)
    assert f"{NAMESPACE}/mock-a" == gateway.ask(last)["provider"]
    started = time.monotonic()
    gateway.wait_until_live(gateway.edit_route(6), seconds=30)
    sys.stdout.write(f"one edit among {ROUTES} routes was live after {time.monotonic() - started:.2f} s\n")
    gateway.kubectl("delete", "llmroutes", "--selector=bulk=yes", "--wait=false", timeout_seconds=120)
    assert PROXIES == len(proxy_pods(gateway))


@pytest.mark.timeout(400, func_only=True)
def test_the_api_server_is_gone_for_a_minute(gateway: Gateway, own_node: Node) -> None:
    """Requests go on as if nothing were; after it, the next edit is taken."""
    with gateway.load() as load:
        own_node.apiserver.stop()
        began = time.monotonic()
        wait_until(
            lambda: time.monotonic() - began > OUTAGE_SECONDS,
            within_seconds=OUTAGE_SECONDS + 5,
            what="a minute is over",
        )
        own_node.apiserver.start()
        gateway.wait_until_live(gateway.edit_route(4), seconds=90)
    assert load.report is not None
    assert [] == load.report["failures"]
    assert 0 == load.report["failed"]


@pytest.mark.timeout(300, func_only=True)
def test_a_proxy_starts_while_the_api_server_is_down(gateway: Gateway, own_node: Node) -> None:
    """A proxy that is killed meanwhile comes back with the revision that its volume holds."""
    pod = proxy_pods(gateway)[0]
    address = pod["status"]["podIP"]
    before = config_of(address)
    assert before is not None
    wait_until(
        lambda: _in_volume(gateway, pod) == before["revision"], within_seconds=150, what="the kubelet has written"
    )
    pid = process_of(pod)
    own_node.apiserver.stop()
    try:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: _serves_from_volume(address), within_seconds=60, what="the proxy is back, from its volume")
        after = config_of(address)
    finally:
        own_node.apiserver.start()
    assert after is not None
    assert before["revision"] == after["revision"]


def _in_volume(gateway: Gateway, pod: dict[str, Any]) -> str:
    script = "import json; print(json.load(open('/etc/understudy/head.json'))['revision'])"
    return gateway.system("exec", pod["metadata"]["name"], "--", "python3", "-c", script).strip()


def _serves_from_volume(address: str) -> bool:
    shown = config_of(address)
    return shown is not None and shown["source"] == "volume"
