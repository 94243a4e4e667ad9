"""The main job on a whole cluster: `kubectl apply` a route, a fleet answers by it, and nobody notices what goes wrong.

Everything is installed by its chart from images built of this checkout; requests come from pods, by DNS name.
"""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.chart import REPOSITORY, Release, install_chart
from harness.clusters import Cluster
from harness.images import Image
from harness.process import wait_until

PUBLISHED_IMAGE = "understudy/cli:0.1.0"
"""What the quickstart names; the tests' own build takes its place, because there is no registry here."""
PROXIES = 3
EDITS = 20
NAMESPACE = "shop"
LOAD = Path(__file__).with_name("load.py")
ASK = """
import json, sys, urllib.request
body = json.dumps({"model": sys.argv[2], "messages": [{"role": "user", "content": "Who are you?"}]}).encode()
request = urllib.request.Request(sys.argv[1] + "/chat/completions", body, {"Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=10) as answer:
    said = json.load(answer)["choices"][0]["message"]["content"]
    print(json.dumps({"said": said, "provider": answer.headers["x-understudy-provider"]}))
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The installed gateway with the quickstart applied, and a pod to ask from."""

    cluster: Cluster
    release: Release
    cli: Image

    @property
    def url(self) -> str:
        """What apps of the cluster use."""
        return f"http://{self.release.name}.{self.release.namespace}/v1"

    def kubectl(self, *arguments: str, timeout_seconds: float = 60) -> str:
        """Run kubectl in the namespace of the apps."""
        return self.cluster.kubectl(*arguments, f"--namespace={NAMESPACE}", timeout_seconds=timeout_seconds)

    def system(self, *arguments: str, timeout_seconds: float = 200) -> str:
        """Run kubectl in the gateway's own namespace."""
        return self.cluster.kubectl(
            *arguments, f"--namespace={self.release.namespace}", timeout_seconds=timeout_seconds
        )

    def ask(self, model: str = "chat") -> dict[str, str]:
        """One request from the asking pod; what was said, and by which provider."""
        answer: dict[str, str] = json.loads(self.kubectl("exec", "asker", "--", "python3", "-c", ASK, self.url, model))
        return answer

    def route(self, name: str = "chat") -> dict[str, Any]:
        """The LLMRoute as it is now."""
        return self.cluster.kubectl.get("llmroute", name, f"--namespace={NAMESPACE}")


@pytest.fixture(scope="module")
def gateway(node: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """`helm install`, `kubectl apply -f examples/quickstart/`, `kubectl wait`: what the README says."""
    values = {"proxy.autoscaling.enabled": "false", "proxy.replicas": str(PROXIES)}
    release = install_chart(node, values=values)
    cli = node.build_image(REPOSITORY / "Dockerfile", target="cli", repository="localhost/understudy/cli")
    gateway = Gateway(node, release, cli)
    node.kubectl("create", "namespace", NAMESPACE)
    folder = tmp_path_factory.mktemp("examples") / "quickstart"
    shutil.copytree(REPOSITORY / "examples" / "quickstart", folder)
    mock = folder / "mock.yaml"
    mock.write_text(mock.read_text().replace(PUBLISHED_IMAGE, cli.name))
    gateway.kubectl("apply", f"--filename={folder}")
    gateway.kubectl(
        "wait", "--for=condition=Available", "deployment/mock-a", "deployment/mock-b", "--timeout=60s",
        timeout_seconds=70,
    )  # fmt: skip
    gateway.kubectl("wait", "--for=condition=Programmed", "llmroute/chat", "--timeout=30s")
    _run_pod(gateway, "asker", ["python3", "-c", "import signal; signal.pause()"])
    yield gateway
    node.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_a_pod_gets_its_answer_by_dns_name(gateway: Gateway) -> None:
    """The quickstart answers: the route by its name, and the persona from its role."""
    assert {"provider": f"{NAMESPACE}/mock-a"}.items() <= gateway.ask().items()
    assert "mock-a" in gateway.ask("persona/code_assistant")["said"]


def test_conditions_say_where_the_objects_stand(gateway: Gateway) -> None:
    """Every object of the quickstart is accepted, resolved, live on all proxies, and ready."""
    found = gateway.cluster.kubectl.get("llmproviders,llmroutes,personas", f"--namespace={NAMESPACE}")
    assert {"LLMProvider", "LLMRoute", "Persona"} == {each["kind"] for each in found["items"]}
    for each in found["items"]:
        conditions = {condition["type"]: condition for condition in each["status"]["conditions"]}
        assert {"Accepted", "ResolvedRefs", "Programmed", "Ready"} == conditions.keys()
        assert {"True"} == {condition["status"] for condition in conditions.values()}, conditions
        assert f"{PROXIES}/{PROXIES}" in conditions["Programmed"]["message"]


def test_nobody_notices(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """Under load: edits, a provider that dies and returns, all proxies and the operator replaced; no request fails."""
    _start_load(gateway)
    seconds = [_edit(gateway, number) for number in range(EDITS)]
    _provider_dies_and_returns(gateway)
    _replace_all_proxies(gateway)
    _delete_the_operator(gateway)
    report = _stop_load(gateway)
    with capsys.disabled():
        sys.stdout.write(f"\n{_figures(seconds)}\nload: {json.dumps(report)}\n")
    assert [] == report["failures"]
    assert 0 == report["failed"]
    assert report["whole"] > 500
    assert report["streams"] > 500
    assert {f"{NAMESPACE}/mock-a", f"{NAMESPACE}/mock-b"} == report["providers"].keys()


def _edit(gateway: Gateway, number: int) -> float:
    """Change the route; seconds from `kubectl apply` to `Programmed` by all proxies."""
    patch = json.dumps({"spec": {"retry": {"attempts": 3 + number % 2}}})
    started = time.monotonic()
    gateway.kubectl("patch", "llmroute", "chat", "--type=merge", f"--patch={patch}")
    generation = gateway.route()["metadata"]["generation"]

    def live() -> bool:
        return _programmed(gateway.route(), generation)

    wait_until(live, within_seconds=10, what=f"edit {number} is live on all proxies")
    return time.monotonic() - started


def _programmed(route: dict[str, Any], generation: int) -> bool:
    conditions = {each["type"]: each for each in route["status"]["conditions"]}
    found = conditions["Programmed"]
    live = found["status"] == "True" and found["observedGeneration"] >= generation
    return live and f"{PROXIES}/{PROXIES}" in found["message"]


def _provider_dies_and_returns(gateway: Gateway) -> None:
    """The first backend is gone, the understudy answers; then it is back, and answers again."""
    gateway.kubectl("scale", "deployment/mock-a", "--replicas=0")
    gateway.kubectl("wait", "--for=delete", "pod", "--selector=app=mock-a", "--timeout=60s", timeout_seconds=70)
    _wait_for_provider(gateway, "mock-b")
    gateway.kubectl("scale", "deployment/mock-a", "--replicas=1")
    gateway.kubectl("rollout", "status", "deployment/mock-a", "--timeout=60s", timeout_seconds=70)
    _wait_for_provider(gateway, "mock-a")


def _wait_for_provider(gateway: Gateway, name: str) -> None:
    wait_until(lambda: gateway.ask()["provider"] == f"{NAMESPACE}/{name}", within_seconds=90, what=f"{name} answers")


def _replace_all_proxies(gateway: Gateway) -> None:
    deployment = f"deployment/{gateway.release.name}-proxy"
    gateway.system("rollout", "restart", deployment)
    gateway.system("rollout", "status", deployment, "--timeout=180s")


def _delete_the_operator(gateway: Gateway) -> None:
    """Requests go on without one; a new one finds everything in place and takes the next edit."""
    gateway.system("delete", "pods", "--selector=app.kubernetes.io/component=operator", "--wait=true")
    gateway.system("rollout", "status", f"deployment/{gateway.release.name}-operator", "--timeout=120s")
    patch = json.dumps({"spec": {"retry": {"attempts": 5}}})
    gateway.kubectl("patch", "llmroute", "chat", "--type=merge", f"--patch={patch}")
    generation = gateway.route()["metadata"]["generation"]
    wait_until(
        lambda: _programmed(gateway.route(), generation),
        within_seconds=60,
        what="the new operator has programmed an edit",
    )


def _start_load(gateway: Gateway) -> None:
    gateway.kubectl("create", "configmap", "load", f"--from-file={LOAD}")
    volume = {"name": "script", "configMap": {"name": "load"}}
    _run_pod(gateway, "load", ["python3", "/load/load.py", gateway.url], volume=volume, mount="/load")
    wait_until(_sees_traffic(gateway), within_seconds=30, what="the load has begun")


def _sees_traffic(gateway: Gateway) -> Callable[[], bool]:
    """Whether a mock has been asked by the load; its pod counts."""
    script = "import urllib.request; print(urllib.request.urlopen('http://mock-a:8000/_mock/stats').read().decode())"

    def sees() -> bool:
        stats = json.loads(gateway.kubectl("exec", "asker", "--", "python3", "-c", script))
        return bool(stats["requests"] > 50)

    return sees


def _stop_load(gateway: Gateway) -> dict[str, Any]:
    gateway.kubectl("exec", "load", "--", "python3", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")
    gateway.kubectl(
        "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/load", "--timeout=90s", timeout_seconds=100
    )
    report: dict[str, Any] = json.loads(gateway.kubectl("logs", "load"))
    return report


def _run_pod(
    gateway: Gateway, name: str, command: list[str], *, volume: dict[str, Any] | None = None, mount: str = ""
) -> None:
    container: dict[str, Any] = {
        "name": name,
        "image": gateway.cli.name,
        "imagePullPolicy": "Never",
        "command": command,
        "volumeMounts": [{"name": volume["name"], "mountPath": mount}] if volume else [],
    }
    spec = {"containers": [container], "restartPolicy": "Never", "volumes": [volume] if volume else []}
    metadata = {"name": name, "namespace": NAMESPACE}
    gateway.cluster.kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    gateway.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s", timeout_seconds=70)


def _figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return (
        f"from kubectl patch to Programmed on {PROXIES}/{PROXIES} proxies, {len(ordered)} edits: "
        f"p50 {statistics.median(ordered):.2f} s, p99 {ordered[-1]:.2f} s (kubectl's own start-up included)"
    )
