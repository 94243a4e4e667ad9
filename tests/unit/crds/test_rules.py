"""Every rule of the API, broken once, and every field, set once: without a cluster.

`tests/apiserver/test_crds.py` asks a real API server about the same manifests.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.crd_cases import BROKEN, VALID, case_id
from understudy_api.crdgen import definitions
from understudy_api.v1alpha1 import API_VERSION, Invalid, Problem, parse
from understudy_api.v1alpha1.unknown import unknown_fields


def _schemas(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from _schemas(field, f"{path}.{name}")
    if "items" in schema:
        yield from _schemas(schema["items"], f"{path}[]")


def _spec_schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    for crd in definitions().values():
        root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        yield from _schemas(root["properties"]["spec"], crd["spec"]["names"]["kind"])


def _set_fields(value: Any, path: str) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _set_fields(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _set_fields(item, f"{path}[]")


@pytest.mark.parametrize("case", [pytest.param(case, id=case_id(case)) for case in BROKEN])
def test_says_what_is_wrong(case: dict[str, Any]) -> None:
    """A manifest that breaks one rule gets one sentence, about the field that the author has to change."""
    raw = {"apiVersion": API_VERSION, "metadata": {"name": "broken"}, **case}
    field, message = case.get("path", case["field"]), case.get("message") or case["rule"]
    assert parse(raw) == Invalid((Problem(field, message),))


def test_every_rule_has_a_broken_manifest() -> None:
    """A CEL rule without a manifest that breaks it is a rule that nobody has seen at work."""
    rules = {rule["message"] for _, schema in _spec_schemas() for rule in schema.get("x-kubernetes-validations", [])}
    assert {case["rule"] for case in BROKEN if "rule" in case} == rules


@pytest.mark.parametrize("raw", [pytest.param(raw, id=case_id(raw)) for raw in VALID])
def test_reads_what_is_valid(raw: dict[str, Any]) -> None:
    """A valid object is read as it is written: nothing unknown, nothing lost, nothing added."""
    resource = parse(raw)
    assert not isinstance(resource, Invalid), resource
    assert unknown_fields(raw) == ()
    assert resource.spec.model_dump(mode="json", by_alias=True, exclude_unset=True) == raw["spec"]


def test_the_valid_objects_set_every_field() -> None:
    """The examples that the API server is asked about leave no field out."""
    known = {path for path, _ in _spec_schemas()}
    written = {path for raw in VALID for path in _set_fields(raw["spec"], raw["kind"])}
    assert known - written == set()
