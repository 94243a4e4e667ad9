"""Fields that no model knows."""

from typing import Any

import pytest

from understudy_api.v1alpha1 import API_VERSION
from understudy_api.v1alpha1.unknown import UnknownField, unknown_fields


def _object(kind: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": "x"}, **parts}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(_object("LLMRoute", specs={}), UnknownField("specs", "spec"), id="at the top of the object"),
        pytest.param(
            _object("LLMRoute", spec={"rules": [{}, {"backends": [{"weigth": 1}]}]}),
            UnknownField("spec.rules[1].backends[0].weigth", "weight"),
            id="in a list in a list",
        ),
        pytest.param(
            _object("LLMProvider", spec={"models": [{"pricing": {"input": "3.00"}}]}),
            UnknownField("spec.models[0].pricing.input", "inputPerMillion"),
            id="half a name",
        ),
        pytest.param(
            _object("LLMProvider", spec={"base_url": "http://host"}),
            UnknownField("spec.base_url", "baseURL"),
            id="in Python's spelling",
        ),
        pytest.param(
            _object("LLMProvider", spec={"allowedNamespaces": {"from_": "All"}}),
            UnknownField("spec.allowedNamespaces.from_", "from"),
            id="in Python's spelling of a keyword",
        ),
        pytest.param(
            _object("LLMProvider", spec={"capabilities": []}),
            UnknownField("spec.capabilities", None),
            id="a field of another part",
        ),
        pytest.param(
            {**_object("LLMRoute"), "metadata": {"lables": {}}},
            UnknownField("metadata.lables", "labels"),
            id="in the metadata",
        ),
        pytest.param(
            _object("LLMRoute", spec={"time outs": {}}),
            UnknownField('spec["time outs"]', "timeouts"),
            id="a name that is no word",
        ),
    ],
)
def test_finds_what_nobody_knows(raw: dict[str, Any], expected: UnknownField) -> None:
    """A misspelled field, which a cluster drops in silence, is found with the name that was meant."""
    assert unknown_fields(raw) == (expected,)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            _object("Persona", spec={"parameters": {"defaults": {"anything": {"at": "all"}}, "overrides": {"x": 1}}}),
            id="request parameters",
        ),
        pytest.param(_object("LLMTool", spec={"parameters": {"$schema": "x", "oneOf": []}}), id="a JSON Schema"),
        pytest.param(_object("LLMProvider", spec={"headers": {"set": {"X-Team": "a"}}}), id="headers"),
        pytest.param(
            {
                **_object("LLMRoute"),
                "metadata": {
                    "labels": {"app.kubernetes.io/name": "x"},
                    "ownerReferences": [{"blockOwnerDeletion": True}],
                    "managedFields": [{"fieldsV1": {"f:spec": {}}}],
                    "finalizers": ["a/b"],
                },
            },
            id="what Kubernetes keeps in the metadata",
        ),
        pytest.param(_object("LLMRoute", status={"anything": 1}), id="the status"),
        pytest.param(_object("LLMRoute", spec=[{"rules": 1}]), id="a spec that is no object"),
        pytest.param(_object("LLMRoute", spec={"rules": {"backend": 1}}), id="a map in the place of a list"),
        pytest.param({"kind": "LLMRoute", "specs": 1}, id="an object of nobody's"),
        pytest.param({"apiVersion": API_VERSION, "kind": ["LLMRoute"], "specs": 1}, id="a kind that is no word"),
    ],
)
def test_leaves_alone_what_is_free(raw: dict[str, Any]) -> None:
    """Free-form content, Kubernetes' own fields and what parsing refuses anyway are no unknown fields."""
    assert unknown_fields(raw) == ()
