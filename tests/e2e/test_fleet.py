"""What happens to a running fleet: a key that changes, a thousand routes at once."""

import sys
import time
from typing import Any

import pytest

from harness.installed import NAMESPACE, PROXIES, Gateway

ROUTES = 1000
API = "understudy.dev/v1alpha1"


def test_a_rotated_key_is_used_within_seconds(gateway: Gateway) -> None:
    """A provider whose key was wrong answers as soon as its Secret is right, without any restart."""
    pods = {pod["metadata"]["uid"] for pod in gateway.proxies()}
    gateway.run_pod("locked", ["understudy", "mock", "--host", "0.0.0.0", "--port", "8000", "--require-key", "new-key"])
    gateway.kubectl("expose", "pod/locked", "--port=8000")
    gateway.apply(secret("old-key"), *locked_objects())
    gateway.kubectl("wait", "--for=condition=Programmed", "llmroute/locked", "--timeout=30s")
    assert f"{NAMESPACE}/mock-b" == gateway.ask("locked")["provider"]
    started = time.monotonic()
    gateway.apply(secret("new-key"))
    gateway.wait_for_provider("locked", model="locked", within_seconds=30)
    sys.stdout.write(f"a rotated key answered after {time.monotonic() - started:.2f} s\n")
    assert pods == {pod["metadata"]["uid"] for pod in gateway.proxies()}
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
    assert PROXIES == len(gateway.proxies())
