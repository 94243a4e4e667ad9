"""Understudy as a user has it: installed by its charts, with the quickstart applied, asked and loaded from pods."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.chart import REPOSITORY, Release, install_chart
from harness.clusters import Cluster
from harness.images import Image
from harness.process import wait_until

PUBLISHED_IMAGE = "understudy/cli:0.1.0"
"""What the quickstart names; the tests' own build takes its place, because there is no registry here."""
PROXIES = 3
NAMESPACE = "shop"
LOAD = Path(__file__).parents[1] / "e2e" / "load.py"
ASK = """
import json, sys, urllib.request
body = json.dumps({"model": sys.argv[2], "messages": [{"role": "user", "content": "Who are you?"}]}).encode()
request = urllib.request.Request(sys.argv[1] + "/chat/completions", body, {"Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=10) as answer:
    said = json.load(answer)["choices"][0]["message"]["content"]
    print(json.dumps({"said": said, "provider": answer.headers["x-understudy-provider"]}))
"""
SEND = """
import json, sys, urllib.error, urllib.request
method, url, body, headers = sys.argv[1:]
headers = {"Content-Type": "application/json", **json.loads(headers)}
request = urllib.request.Request(url, body.encode() or None, headers, method=method)
try:
    answer = urllib.request.urlopen(request, timeout=20)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps({"status": answer.status, "headers": dict(answer.headers), "body": answer.read().decode()}))
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer to a request from a pod, whatever its status."""

    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        """Its body, parsed."""
        return json.loads(self.body)

    def said(self) -> str:
        """What a chat completion says, whole or streamed to its end."""
        assert self.status == 200, self.body
        if not self.body.startswith("data: "):
            return str(self.json()["choices"][0]["message"]["content"])
        *events, done, _ = self.body.split("\n\n")
        assert done == "data: [DONE]", self.body
        chunks = [json.loads(event.removeprefix("data: ")) for event in events if event.startswith("data: ")]
        return "".join(each["delta"].get("content") or "" for chunk in chunks for each in chunk["choices"])


@dataclass(frozen=True, slots=True)
class Gateway:
    """The installed gateway, and a pod to ask it from."""

    cluster: Cluster
    release: Release
    cli: Image

    @property
    def url(self) -> str:
        """What apps of the cluster use."""
        return f"http://{self.release.name}.{self.release.namespace}/v1"

    def kubectl(self, *arguments: str, timeout_seconds: float = 60) -> str:
        """Run kubectl in the namespace of the apps."""
        return self.cluster.kubectl(f"--namespace={NAMESPACE}", *arguments, timeout_seconds=timeout_seconds)

    def system(self, *arguments: str, timeout_seconds: float = 200) -> str:
        """Run kubectl in the gateway's own namespace."""
        namespace = f"--namespace={self.release.namespace}"
        return self.cluster.kubectl(namespace, *arguments, timeout_seconds=timeout_seconds)

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects in the namespace of the apps."""
        placed = [{**each, "metadata": {"namespace": NAMESPACE, **each["metadata"]}} for each in objects]
        self.cluster.kubectl.apply(*placed)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """An object of the apps' namespace."""
        return self.cluster.kubectl.get(kind, name, f"--namespace={NAMESPACE}")

    def proxies(self) -> list[dict[str, Any]]:
        """The pods that answer requests; those that are going away finish what they have, and take no more."""
        selector = "--selector=app.kubernetes.io/component=proxy"
        found = self.cluster.kubectl.get("pods", f"--namespace={self.release.namespace}", selector)
        return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]

    def ask(self, model: str = "chat") -> dict[str, str]:
        """One request from the asking pod; what was said, and by which provider."""
        answer: dict[str, str] = json.loads(self.kubectl("exec", "asker", "--", "python3", "-c", ASK, self.url, model))
        return answer

    def send(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        method: str = "POST",
        address: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Sent:
        """One request from the asking pod.

        Args:
            path: Where, for example `/ns/shop/v1/tools`.
            body: The JSON that is sent.
            method: The HTTP method.
            address: Of one of `proxies()`; without it any of them may answer.
            headers: Sent besides `Content-Type`.
        """
        base = f"http://{address}:8080" if address else self.url.removesuffix("/v1")
        arguments = (method, base + path, json.dumps(body) if body else "", json.dumps(dict(headers or {})))
        return Sent(**json.loads(self.kubectl("exec", "asker", "--", "python3", "-c", SEND, *arguments)))

    def wait_for_provider(self, name: str, *, model: str = "chat", within_seconds: float = 90) -> None:
        """Ask until a provider answers; every request on the way there must be answered too."""
        expected = f"{NAMESPACE}/{name}"
        wait_until(
            lambda: self.ask(model)["provider"] == expected, within_seconds=within_seconds, what=f"{name} answers"
        )

    def edit_route(self, attempts: int) -> int:
        """Change the route `chat`; its generation after that."""
        patch = json.dumps({"spec": {"retry": {"attempts": attempts}}})
        self.kubectl("patch", "llmroute", "chat", "--type=merge", f"--patch={patch}")
        return int(self.get("llmroute", "chat")["metadata"]["generation"])

    def wait_until_live(
        self, generation: int, *, kind: str = "llmroute", name: str = "chat", seconds: float = 60
    ) -> None:
        """Until the object says that all proxies run it as of `generation`."""
        wait_until(
            lambda: live_on_all(self.get(kind, name), generation),
            within_seconds=seconds,
            what=f"generation {generation} of {kind}/{name} is live on all proxies",
        )

    def run_pod(self, name: str, command: list[str], *, config_map: str | None = None) -> None:
        """Run a pod of the command line's image; a ConfigMap is mounted at `/` and its name."""
        container: dict[str, Any] = {
            "name": name,
            "image": self.cli.name,
            "imagePullPolicy": "Never",
            "command": command,
        }
        spec: dict[str, Any] = {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 5}
        if config_map is not None:
            container["volumeMounts"] = [{"name": config_map, "mountPath": f"/{config_map}"}]
            spec["volumes"] = [{"name": config_map, "configMap": {"name": config_map}}]
        metadata = {"name": name, "labels": {"app": name}}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s", timeout_seconds=70)

    def add_program(self, file: Path) -> str:
        """Put a program's file into a ConfigMap that `run_pod` can mount; its name is the file's."""
        self.kubectl("create", "configmap", file.stem, f"--from-file={file}")
        return file.stem

    @contextmanager
    def load(self, models: Sequence[str] = ("chat",)) -> Iterator["Load"]:
        """A steady load from a pod of its own, while the context lasts; its report is whole after that."""
        command = ["python3", f"/load/{LOAD.name}", self.url, *models]
        self.run_pod("load", command, config_map=self.add_program(LOAD))
        try:
            wait_until(lambda: "begun" in self.kubectl("logs", "load"), within_seconds=30, what="the load has begun")
            load = Load()
            yield load
            load.report = self._end_load()
        finally:
            self.kubectl("delete", "pod/load", "configmap/load")

    def _end_load(self) -> dict[str, Any]:
        self.kubectl("exec", "load", "--", "python3", "-c", "import os, signal; os.kill(1, signal.SIGTERM)")
        ended = "--for=jsonpath={.status.phase}=Succeeded"
        self.kubectl("wait", ended, "pod/load", "--timeout=90s", timeout_seconds=100)
        report: dict[str, Any] = json.loads(self.kubectl("logs", "load", "--tail=1"))
        return report


@dataclass(slots=True)
class Load:
    """What a load saw, once it has ended; see `tests/e2e/load.py` for the fields."""

    report: dict[str, Any] | None = None


def live_on_all(manifest: dict[str, Any], generation: int) -> bool:
    """Whether an object's `Programmed` says that all proxies run it as of `generation`."""
    conditions = {each["type"]: each for each in manifest.get("status", {}).get("conditions", [])}
    found = conditions.get("Programmed")
    if found is None or found["status"] != "True" or found["observedGeneration"] < generation:
        return False
    return f"{PROXIES}/{PROXIES}" in found["message"]


def install_quickstart(cluster: Cluster, folder: Path) -> Gateway:
    """`helm install`, `kubectl apply -f examples/quickstart/`, `kubectl wait`: what the README says.

    Args:
        cluster: A running cluster.
        folder: An empty one, for the quickstart with the image of this checkout.
    """
    release = install_chart(cluster, values={"proxy.autoscaling.enabled": "false", "proxy.replicas": str(PROXIES)})
    cli = cluster.build_image(REPOSITORY / "Dockerfile", target="cli", repository="localhost/understudy/cli")
    gateway = Gateway(cluster, release, cli)
    cluster.kubectl("create", "namespace", NAMESPACE)
    shutil.copytree(REPOSITORY / "examples" / "quickstart", folder, dirs_exist_ok=True)
    mock = folder / "mock.yaml"
    mock.write_text(mock.read_text().replace(PUBLISHED_IMAGE, cli.name))
    gateway.kubectl("apply", f"--filename={folder}")
    available = ("wait", "--for=condition=Available", "deployment/mock-a", "deployment/mock-b", "--timeout=60s")
    gateway.kubectl(*available, timeout_seconds=70)
    gateway.kubectl("wait", "--for=condition=Programmed", "llmroute/chat", "--timeout=30s")
    gateway.run_pod("asker", ["python3", "-c", "import signal; signal.pause()"])
    return gateway
