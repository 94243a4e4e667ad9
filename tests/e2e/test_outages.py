"""A cluster without its API server: requests go on, and proxies start.

These come last of all (see `conftest.py`): for a minute and more after an outage, Kubernetes' own scheduler places no
pod.
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

from harness.installed import Gateway
from harness.node import Node
from harness.process import wait_until

OUTAGE_SECONDS = 60


@pytest.fixture
def own_node(gateway: Gateway) -> Node:
    """The node, where it is one whose API server can be stopped."""
    if not isinstance(gateway.cluster, Node):
        pytest.skip("only the node of these tests has an API server that can be stopped")
    return gateway.cluster


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


@pytest.mark.timeout(400, func_only=True)
def test_the_api_server_is_gone_for_a_minute(gateway: Gateway, own_node: Node) -> None:
    """Requests go on as if nothing were; after it, the next edit is taken."""
    with gateway.load() as load:
        # Killed: told to end, it would withdraw its address first, and kube-proxy is slow to learn the new one.
        own_node.apiserver.kill()
        began = time.monotonic()
        wait_until(
            lambda: time.monotonic() - began > OUTAGE_SECONDS,
            within_seconds=OUTAGE_SECONDS + 5,
            what="a minute is over",
        )
        own_node.apiserver.start()
        back = time.monotonic()
        gateway.wait_until_live(gateway.edit_route(4), seconds=90)
        sys.stdout.write(f"an edit was live {time.monotonic() - back:.2f} s after the API server was back\n")
    assert load.report is not None
    assert [] == load.report["failures"]
    assert 0 == load.report["failed"]


@pytest.mark.timeout(300, func_only=True)
def test_a_proxy_starts_while_the_api_server_is_down(gateway: Gateway, own_node: Node) -> None:
    """A proxy that is killed meanwhile comes back with the revision that its volume holds."""
    pod = gateway.proxies()[0]
    address = pod["status"]["podIP"]
    before = config_of(address)
    assert before is not None
    wait_until(
        lambda: _in_volume(gateway, pod) == before["revision"], within_seconds=150, what="the kubelet has written"
    )
    pid = process_of(pod)
    own_node.apiserver.kill()
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
