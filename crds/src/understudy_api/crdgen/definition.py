"""The CustomResourceDefinition of each kind: its names, its columns, its schema."""

from typing import Any

from understudy_api.crdgen.structural import structural
from understudy_api.v1alpha1.kinds import KINDS, PLURALS
from understudy_api.v1alpha1.meta import GROUP, VERSION

CATEGORY = "llm"
SHORT_NAMES = {"LLMProvider": "llmp", "LLMRoute": "llmr", "LLMTool": "llmt"}
"""Persona has none: its singular is short."""

_CONDITION = '.status.conditions[?(@.type=="{type}")].{field}'


def definitions() -> dict[str, dict[str, Any]]:
    """The CRDs by file name."""
    return {f"{GROUP}_{PLURALS[kind]}.yaml": definition(kind) for kind in KINDS}


def definition(kind: str) -> dict[str, Any]:
    """The CRD of a kind.

    Raises:
        NotStructural: A type of the kind cannot be said in a CRD.
    """
    names: dict[str, Any] = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": PLURALS[kind],
        "singular": kind.lower(),
        "categories": [CATEGORY],
    }
    if kind in SHORT_NAMES:
        names["shortNames"] = [SHORT_NAMES[kind]]
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _columns(kind),
        "schema": {"openAPIV3Schema": _schema(kind)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURALS[kind]}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def _schema(kind: str) -> dict[str, Any]:
    model = KINDS[kind]
    made = model.model_json_schema(by_alias=True)
    parts = {name: made["properties"][name] for name in ("spec", "status")}
    whole = structural({**made, "properties": parts, "required": ["spec"]})
    whole["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    return whole


def _columns(kind: str) -> list[dict[str, Any]]:
    own = [_column("Type", ".spec.type")] if kind == "LLMProvider" else []
    return [
        *own,
        _column("Ready", _CONDITION.format(type="Ready", field="status")),
        _column("Reason", _CONDITION.format(type="Ready", field="reason")),
        _column("Revision", ".status.revision"),
        _column("Accepted", _CONDITION.format(type="Accepted", field="status"), priority=1),
        _column("ResolvedRefs", _CONDITION.format(type="ResolvedRefs", field="status"), priority=1),
        _column("Programmed", _CONDITION.format(type="Programmed", field="status"), priority=1),
        _column("Message", _CONDITION.format(type="Ready", field="message"), priority=1),
        _column("Age", ".metadata.creationTimestamp", type_="date"),
    ]


def _column(name: str, path: str, *, type_: str = "string", priority: int = 0) -> dict[str, Any]:
    column = {"name": name, "type": type_, "jsonPath": path}
    return {**column, "priority": priority} if priority else column
