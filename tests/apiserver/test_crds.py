"""The CRDs in a real API server: it takes them, keeps objects as they are written, and says what is wrong.

`tests/unit/crds/test_rules.py` asks the models about the same manifests.
"""

import copy
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from harness.apiserver import ApiServer
from harness.crd_cases import BROKEN, VALID, case_id
from harness.kubectl import Kubectl, KubectlError
from harness.process import wait_until
from harness.yaml_cases import SCALARS
from understudy_api.v1alpha1 import API_VERSION, PLURALS, Invalid, field_path, parse
from understudy_api.v1alpha1.unknown import unknown_fields

ROOT = Path(__file__).parents[2]
NAMESPACE = "crds"
REMOVED = object()
CHANGES: tuple[Any, ...] = (REMOVED, "", -1, [], {}, "X y")
"""Null is not among them: the API server drops it from a map of labels, where `{team: null}` then matches everybody."""
TEAM = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


@pytest.fixture(scope="module")
def kubectl(apiserver: ApiServer) -> Iterator[Kubectl]:
    """Kubectl in a cluster that has the CRDs, as the README installs them."""
    run = apiserver.kubectl
    run("apply", "--filename", str(ROOT / "crds"))
    names = [f"crd/{plural}.understudy.dev" for plural in PLURALS.values()]
    run("wait", "--for=condition=Established", "--timeout=30s", *names)
    wait_until(lambda: _are_served(run), within_seconds=30, what="the four kinds are served")
    run.apply(TEAM)
    yield run
    run("delete", ",".join(PLURALS.values()), "--all", f"--namespace={NAMESPACE}")


def _are_served(kubectl: Kubectl) -> bool:
    try:
        kubectl("get", ",".join(PLURALS.values()), "--all-namespaces")
    except KubectlError:
        return False
    return True


def test_they_are_stored_as_they_are_written(kubectl: Kubectl) -> None:
    """Nothing is dropped or added: who applied them plainly may go on with server-side apply, without a conflict."""
    kubectl("apply", "--server-side", "--filename", str(ROOT / "crds"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case_id(case)) for case in BROKEN])
def test_says_what_is_wrong(kubectl: Kubectl, case: dict[str, Any]) -> None:
    """A manifest that breaks one rule is refused, in our words where they are ours, and for this rule alone."""
    manifest = {
        "apiVersion": API_VERSION,
        "kind": case["kind"],
        "metadata": {"name": "broken", "namespace": NAMESPACE},
        **({"spec": case["spec"]} if "spec" in case else {}),
    }
    with pytest.raises(KubectlError) as refused:
        kubectl("create", "--dry-run=server", "--filename=-", stdin=json.dumps(manifest))
    said = str(refused.value).split(" is invalid: ", 1)[-1].removeprefix("\n* ")
    first, *others = said.split("\n* ")
    assert first.startswith(f"{case.get('at', case['field'])}: ")
    assert (case.get("server") or case["rule"]) in first
    assert [each for each in others if not each.startswith("<nil>")] == []


@pytest.mark.parametrize("raw", [pytest.param(raw, id=case_id(raw)) for raw in VALID])
def test_keeps_what_is_valid(kubectl: Kubectl, raw: dict[str, Any]) -> None:
    """A valid object is stored as it is written: nothing pruned, no defaults baked in."""
    kubectl.apply(raw)
    stored = kubectl.get(PLURALS[raw["kind"]], raw["metadata"]["name"], f"--namespace={NAMESPACE}")
    assert stored["spec"] == raw["spec"]


def test_refuses_unknown_fields_as_lint_does(kubectl: Kubectl) -> None:
    """Kubectl asks for strict decoding, and the schema leaves no hole through which a misspelled field slips."""
    raw = {
        "apiVersion": API_VERSION,
        "kind": "LLMRoute",
        "metadata": {"name": "misspelled", "namespace": NAMESPACE},
        "spec": {"rules": [{"backends": [{"providerRef": {"name": "a"}, "model": "b", "weigth": 1}]}]},
    }
    with pytest.raises(KubectlError, match=r'unknown field "spec.rules\[0\].backends\[0\].weigth"'):
        kubectl("create", "--dry-run=server", "--filename=-", stdin=json.dumps(raw))


@pytest.mark.parametrize(
    ("resource", "columns"),
    [
        pytest.param("llmp", ["NAME", "TYPE", "READY", "REASON", "REVISION", "AGE"], id="providers"),
        pytest.param("llmr", ["NAME", "READY", "REASON", "REVISION", "AGE"], id="routes"),
        pytest.param("persona", ["NAME", "READY", "REASON", "REVISION", "AGE"], id="personas"),
        pytest.param("llmt", ["NAME", "READY", "REASON", "REVISION", "AGE"], id="tools"),
    ],
)
def test_short_names_and_columns(kubectl: Kubectl, resource: str, columns: list[str]) -> None:
    """`kubectl get` by the short name shows what is worth a look."""
    kubectl.apply(*(raw for raw in VALID if raw["metadata"]["name"] in {"least", "by-route"}))
    said = kubectl("get", resource, f"--namespace={NAMESPACE}")
    assert said.splitlines()[0].split() == columns


def test_wide_columns_tell_why(kubectl: Kubectl) -> None:
    """`-o wide` adds the other conditions and the sentence for people, out of the status subresource."""
    route = next(raw for raw in VALID if raw["kind"] == "LLMRoute" and raw["metadata"]["name"] == "least")
    condition = {"observedGeneration": 1, "lastTransitionTime": "2026-01-02T03:04:05Z", "reason": "R"}
    said = [
        {**condition, "type": "Accepted", "status": "True", "message": ""},
        {**condition, "type": "ResolvedRefs", "status": "False", "message": ""},
        {**condition, "type": "Programmed", "status": "Unknown", "message": ""},
        {**condition, "type": "Ready", "status": "False", "message": "no-openai", "reason": "BackendNotFound"},
    ]
    status = {"status": {"conditions": said, "observedGeneration": 1, "revision": "0123456789ab", "digest": "d"}}
    kubectl.apply(route)
    patch = ["--subresource=status", "--type=merge", f"--patch={json.dumps(status)}"]
    kubectl("patch", "llmroute", "least", f"--namespace={NAMESPACE}", *patch)
    row = kubectl("get", "llmroute", "least", f"--namespace={NAMESPACE}", "--output=wide", "--no-headers")
    assert row.split()[:8] == [
        "least",
        "False",
        "BackendNotFound",
        "0123456789ab",
        "True",
        "False",
        "Unknown",
        "no-openai",
    ]
    assert "status" in kubectl.get("llmroute", "least", f"--namespace={NAMESPACE}")


def test_one_category_lists_all_four(kubectl: Kubectl) -> None:
    """`kubectl get llm` shows everything of ours."""
    kubectl.apply(*VALID)
    names = kubectl("get", "llm", f"--namespace={NAMESPACE}", "--output=name").split()
    assert {name.split(".")[0] for name in names} == {"llmprovider", "llmroute", "persona", "llmtool"}


def test_two_owners_add_models_to_one_provider(kubectl: Kubectl) -> None:
    """Server-side apply merges the models of a provider by name, so that nobody takes another's away."""

    def applied(model: str) -> dict[str, Any]:
        metadata = {"name": "shared", "namespace": NAMESPACE}
        spec = {"type": "OpenAI", "models": [{"name": model}]}
        return {"apiVersion": API_VERSION, "kind": "LLMProvider", "metadata": metadata, "spec": spec}

    for owner in ("one", "two"):
        manifest = json.dumps(applied(owner))
        kubectl("apply", "--server-side", f"--field-manager={owner}", "--filename=-", stdin=manifest)
    stored = kubectl.get("llmprovider", "shared", f"--namespace={NAMESPACE}")
    assert [model["name"] for model in stored["spec"]["models"]] == ["one", "two"]


def test_two_owners_never_make_a_third_reference(kubectl: Kubectl) -> None:
    """Who takes over a reference takes over all of it: never the name of one with the namespace of another."""

    def applied(**route: str) -> str:
        metadata = {"name": "taken-over", "namespace": NAMESPACE}
        persona = {"apiVersion": API_VERSION, "kind": "Persona", "metadata": metadata, "spec": {"routeRef": route}}
        return json.dumps(persona)

    apply = ("apply", "--server-side", "--force-conflicts", "--filename=-")
    kubectl(*apply, "--field-manager=one", stdin=applied(name="a", namespace="shared"))
    kubectl(*apply, "--field-manager=two", stdin=applied(name="b"))
    assert kubectl.get("persona", "taken-over", f"--namespace={NAMESPACE}")["spec"] == {"routeRef": {"name": "b"}}


def test_explains_every_part(kubectl: Kubectl) -> None:
    """`kubectl explain` is the reference that is always at hand, defaults included."""
    said = kubectl("explain", "llmroute.spec.rules.backends.weight")
    assert "share of the load" in said
    assert "Default: 1." in said


def test_kubectl_reads_yaml_as_files_are_read(kubectl: Kubectl) -> None:
    """A value in a file means without a cluster what it means once it is applied."""
    lines = "\n".join(f"        v{index}: {case.values[0]}" for index, case in enumerate(SCALARS))
    manifest = f"""
apiVersion: {API_VERSION}
kind: Persona
metadata: {{name: scalars, namespace: {NAMESPACE}}}
spec:
  routeRef: {{name: chat}}
  parameters:
    defaults:
      all:
{lines}
"""
    said = json.loads(kubectl("create", "--dry-run=server", "--output=json", "--filename=-", stdin=manifest))
    read = said["spec"]["parameters"]["defaults"]["all"]
    expected = {f"v{index}": case.values[1] for index, case in enumerate(SCALARS)}
    assert {key: (type(value), value) for key, value in read.items()} == {
        key: (type(value), value) for key, value in expected.items()
    }


@pytest.mark.usefixtures("kubectl")
@pytest.mark.parametrize("raw", [pytest.param(raw, id=case_id(raw)) for raw in VALID])
def test_models_and_schema_draw_the_same_line(apiserver: ApiServer, raw: dict[str, Any]) -> None:
    """Whatever becomes of a field, the models refuse what the API server refuses, and nothing else."""
    context = ssl.create_default_context(cafile=apiserver.ca)
    with closing(HTTPSConnection("127.0.0.1", apiserver.port, context=context)) as connection:
        disagreed = [
            what
            for what, changed in _changed(raw)
            if _is_valid(changed) != _is_taken(connection, changed, token=apiserver.admin_token)
        ]
    assert disagreed == []


def _changed(raw: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in _paths(raw["spec"], ("spec",)):
        for change in CHANGES:
            changed = copy.deepcopy(raw)
            inner: Any = changed
            for step in path[:-1]:
                inner = inner[step]
            if change is REMOVED:
                del inner[path[-1]]
            else:
                inner[path[-1]] = change
            yield f"{field_path(path)}: {'removed' if change is REMOVED else change!r}", changed


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    steps = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        yield (*path, step)
        yield from _paths(value[step], (*path, step))


def _is_valid(raw: dict[str, Any]) -> bool:
    return not isinstance(parse(raw), Invalid) and not unknown_fields(raw)


def _is_taken(connection: HTTPSConnection, raw: dict[str, Any], *, token: str) -> bool:
    named = {**raw, "metadata": {"name": "changed", "namespace": NAMESPACE}}
    path = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/{PLURALS[raw['kind']]}?dryRun=All&fieldValidation=Strict"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", path, body=json.dumps(named), headers=headers)
    response = connection.getresponse()
    response.read()
    assert response.status in {201, 400, 422}
    return response.status == 201
