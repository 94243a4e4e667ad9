"""A digest changes when the object's own part of the configuration does, and only then."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from harness.compiling import inputs_of
from understudy_operator.compile import compile_objects

DOCUMENTS = """
kind: ConfigMap
metadata: {name: prompts, namespace: ai}
data: {text: You are kind.}
---
kind: Namespace
metadata: {name: web, labels: {team: web}}
---
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {name: p, namespace: ai}
spec:
  type: VLLM
  baseURL: http://p/v1
  models: [{name: m, capabilities: [Chat]}]
  allowedNamespaces: {from: Selector, selector: {matchLabels: {team: web}}}
---
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {name: chat, namespace: ai}
spec: {models: [{name: chat}], rules: [{backends: [{providerRef: {name: p}, model: m}]}]}
---
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {name: kind, namespace: ai}
spec: {system: {configMapKeyRef: {name: prompts, key: text}}, preferences: [{providerRef: {name: p}}]}
---
apiVersion: understudy.dev/v1alpha1
kind: Persona
metadata: {name: kinder, namespace: ai}
spec: {system: {include: [kind]}, routeRef: {name: chat}}
"""
CONFIG_MAP, NAMESPACE, PROVIDER, ROUTE, KIND, KINDER = range(6)


def _digests(documents: list[Any]) -> dict[str, str]:
    return {str(verdict.object): verdict.digest for verdict in compile_objects(inputs_of(documents)).verdicts}


def _put(documents: list[Any], index: int, path: str, value: Any) -> None:
    place = documents[index]
    *steps, last = path.split(".")
    for step in steps:
        place = place[step]
    place[last] = value


@pytest.mark.parametrize(
    ("index", "path", "value", "changed"),
    [
        pytest.param(PROVIDER, "spec.baseURL", "http://q/v1", {"LLMProvider ai/p"}, id="an address"),
        pytest.param(NAMESPACE, "metadata.labels.team", "lab", {"LLMProvider ai/p"}, id="a namespace's label"),
        pytest.param(
            CONFIG_MAP, "data.text", "You are kinder.", {"Persona ai/kind", "Persona ai/kinder"}, id="a prompt's text"
        ),
        pytest.param(
            ROUTE, "spec.retry", {"attempts": 1}, {"LLMRoute ai/chat", "Persona ai/kinder"}, id="a route's patience"
        ),
        pytest.param(ROUTE, "spec.models", [{"name": "talk"}], {"LLMRoute ai/chat"}, id="a name"),
        pytest.param(ROUTE, "metadata.labels", {"tier": "one"}, set(), id="a label that nothing selects"),
        pytest.param(ROUTE, "metadata.resourceVersion", "9", set(), id="an edit without content"),
        pytest.param(KIND, "spec.description", "For people", {"Persona ai/kind"}, id="words that callers are shown"),
        pytest.param(KIND, "spec.cache", {"ttl": "5m"}, set(), id="a field that is not in effect"),
    ],
)
def test_a_digest_changes_with_the_content(index: int, path: str, value: Any, changed: set[str]) -> None:
    """An operator waits for the fleet only when there is something to wait for."""
    before = list(yaml.safe_load_all(DOCUMENTS))
    after = deepcopy(before)
    _put(after, index, path, value)
    old, new = _digests(before), _digests(after)
    assert {name for name in old if old[name] != new[name]} == changed


def test_the_revision_is_that_of_the_content() -> None:
    """Two operators that see the same objects publish the same revision."""
    documents = list(yaml.safe_load_all(DOCUMENTS))
    first, second = compile_objects(inputs_of(documents)), compile_objects(inputs_of(deepcopy(documents)))
    assert first.config.revision == second.config.revision == first.credentials.revision != ""
