"""An app in a pod, built as its people would build it, which uses the Python client."""

import json
from pathlib import Path
from typing import Any

from harness.app_images import build_app
from harness.images import Image
from harness.installed import NAMESPACE, Gateway
from harness.process import wait_until

HERE = Path(__file__).parent
EAR = HERE / "ear.py"
TOKEN = {"serviceAccountToken": {"path": "understudy", "audience": "understudy"}}


def test_an_app_is_known_by_its_service_account(gateway: Gateway, tmp_path: Path) -> None:
    """With LLM_GATEWAY_URL and a projected token it gets its answers, and every question says who asks."""
    image = build_app(gateway.cluster, "app", [HERE / "app" / "app.py"], folder=tmp_path)
    program = gateway.add_program(EAR)
    there = f"{gateway.release.name}.{gateway.release.namespace}"
    gateway.run_pod("ear", ["python3", f"/{program}/{EAR.name}", "8000", there, "80"], config_map=program)
    gateway.kubectl("expose", "pod/ear", "--port=80", "--target-port=8000")
    gateway.apply(account(), pod(image))
    gateway.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/app", "--timeout=90s", timeout_seconds=100)

    printed = json.loads(gateway.kubectl("logs", "app"))
    assert f"{NAMESPACE}/mock-a" == printed["provider"]
    assert "Who are you?" in printed["whole"]
    assert "And who are you?" in printed["streamed"]
    wait_until(lambda: len(asked(gateway)) == 2, within_seconds=20, what="the app's questions are told")
    (authorization,) = {each["authorization"] for each in asked(gateway)}
    review = reviewed(gateway, authorization.removeprefix("Bearer "))
    assert review.get("authenticated"), review
    assert f"system:serviceaccount:{NAMESPACE}:app" == review["user"]["username"]


def account() -> dict[str, Any]:
    """The app's ServiceAccount."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "app"}}


def pod(image: Image) -> dict[str, Any]:
    """The app's pod, as `docs/client.md` says."""
    container = {
        "name": "app",
        "image": image.name,
        "imagePullPolicy": "Never",
        "args": ["/opt/app/app.py"],
        "env": [{"name": "LLM_GATEWAY_URL", "value": "http://ear"}],
        "volumeMounts": [{"name": "tokens", "mountPath": "/var/run/secrets/tokens"}],
    }
    spec = {
        "serviceAccountName": "app",
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "tokens", "projected": {"sources": [TOKEN]}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec}


def asked(gateway: Gateway) -> list[dict[str, Any]]:
    """The questions that came by, with their credentials."""
    lines = [json.loads(line) for line in gateway.kubectl("logs", "ear").splitlines()]
    return [line for line in lines if line["path"] == "/v1/chat/completions"]


def reviewed(gateway: Gateway, token: str) -> dict[str, Any]:
    """What Kubernetes says of a token that is meant for a gateway."""
    spec = {"token": token, "audiences": ["understudy"]}
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
    command = ("create", "--filename=-", "--output=json")
    status: dict[str, Any] = json.loads(gateway.cluster.kubectl(*command, stdin=json.dumps(review)))["status"]
    return status
