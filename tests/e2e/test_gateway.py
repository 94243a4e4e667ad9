"""The main job on a whole cluster: `kubectl apply` a route, a fleet answers by it, and nobody notices any trouble."""

import json
import statistics
import sys
import time

import pytest

from harness.installed import NAMESPACE, PROXIES, Gateway

EDITS = 20


def test_a_pod_gets_its_answer_by_dns_name(gateway: Gateway) -> None:
    """The quickstart answers: the route by its name, and the persona from its role."""
    assert f"{NAMESPACE}/mock-a" == gateway.ask()["provider"]
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


@pytest.mark.timeout(600, func_only=True)
def test_nobody_notices(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """Under load: edits, a provider that dies and returns, all proxies and the operator replaced; no request fails."""
    with gateway.load() as load:
        seconds = [_edit(gateway, number) for number in range(EDITS)]
        _provider_dies_and_returns(gateway)
        _replace_all_proxies(gateway)
        _delete_the_operator(gateway)
    with capsys.disabled():
        sys.stdout.write(f"\n{_figures(seconds)}\nload: {json.dumps(load.report)}\n")
    assert load.report is not None
    assert [] == load.report["failures"]
    assert 0 == load.report["failed"]
    assert load.report["whole"] > 500
    assert load.report["streams"] > 500
    assert {f"{NAMESPACE}/mock-a", f"{NAMESPACE}/mock-b"} == load.report["providers"].keys()


def _edit(gateway: Gateway, number: int) -> float:
    """Change the route; seconds from `kubectl patch` to `Programmed` by all proxies."""
    started = time.monotonic()
    gateway.wait_until_live(gateway.edit_route(3 + number % 2), seconds=30)
    return time.monotonic() - started


def _provider_dies_and_returns(gateway: Gateway) -> None:
    """The first backend is gone, the understudy answers; then it is back, and answers again."""
    gateway.kubectl("scale", "deployment/mock-a", "--replicas=0")
    gateway.kubectl("wait", "--for=delete", "pod", "--selector=app=mock-a", "--timeout=60s", timeout_seconds=70)
    gateway.wait_for_provider("mock-b")
    gateway.kubectl("scale", "deployment/mock-a", "--replicas=1")
    gateway.kubectl("rollout", "status", "deployment/mock-a", "--timeout=60s", timeout_seconds=70)
    gateway.wait_for_provider("mock-a")


def _replace_all_proxies(gateway: Gateway) -> None:
    deployment = f"deployment/{gateway.release.name}-proxy"
    gateway.system("rollout", "restart", deployment)
    gateway.system("rollout", "status", deployment, "--timeout=180s")


def _delete_the_operator(gateway: Gateway) -> None:
    """Requests go on without one; a new one finds everything in place and takes the next edit."""
    gateway.system("delete", "pods", "--selector=app.kubernetes.io/component=operator", "--wait=true")
    gateway.system("rollout", "status", f"deployment/{gateway.release.name}-operator", "--timeout=120s")
    gateway.wait_until_live(gateway.edit_route(5))


def _figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return (
        f"from kubectl patch to Programmed on {PROXIES}/{PROXIES} proxies, {len(ordered)} edits: "
        f"p50 {statistics.median(ordered):.2f} s, p99 {ordered[-1]:.2f} s (kubectl's own start-up included)"
    )
