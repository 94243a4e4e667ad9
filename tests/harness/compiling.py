"""Feeding YAML documents to compile, and writing down what comes out so that a person can read it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from understudy_api.config import Capability, canonical_json
from understudy_operator.compile import Compiled, Discovered, DiscoveredModel, Inputs, Outcome, Verdict, references

_SOURCES = ("Secret", "ConfigMap", "Namespace", "Discovered")
"""Discovered is no kind of a cluster: it stands for what a server has said."""


def inputs_of(documents: Iterable[Any]) -> Inputs:
    """Inputs as an operator gathers them: only the Secrets and ConfigMaps that `references` names are read."""
    found = list(documents)
    objects = tuple(each for each in found if not (isinstance(each, Mapping) and each.get("kind") in _SOURCES))
    named = references(objects)
    secrets, config_maps = _by_name(found, "Secret"), _by_name(found, "ConfigMap")
    return Inputs(
        objects=objects,
        secrets={at: secrets.get(at) for at in named.secrets},
        config_maps={at: config_maps.get(at) for at in named.config_maps},
        namespaces={
            name: namespace["metadata"].get("labels", {})
            for (_, name), namespace in _by_name(found, "Namespace").items()
        },
        discovered={at: _discovered(each) for at, each in _by_name(found, "Discovered").items()},
    )


def _discovered(document: Mapping[str, Any]) -> Discovered:
    said = {key: value for key, value in document.items() if key not in {"kind", "metadata", "models"}}
    models = document.get("models")
    return Discovered(**said, models=None if models is None else tuple(_model(model) for model in models))


def _model(said: Mapping[str, Any]) -> DiscoveredModel:
    capabilities = said.get("capabilities")
    known = None if capabilities is None else frozenset(Capability(each) for each in capabilities)
    return DiscoveredModel(**{"name": said["id"], **said, "capabilities": known})


def shown(compiled: Compiled) -> dict[str, Any]:
    """The outcome without defaults, hashes and secret values."""
    revisions = {"targets": {"__all__": {"prompt": {"revision"}}}}
    config = compiled.config.model_copy(update={"revision": ""}).model_dump(exclude_defaults=True, exclude=revisions)
    return {
        "config": json.loads(canonical_json(config)),
        "credentials": sorted(compiled.credentials.values),
        "verdicts": [_verdict(verdict) for verdict in compiled.verdicts],
    }


def _by_name(documents: list[Any], kind: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {
        (each["metadata"].get("namespace", "default"), each["metadata"]["name"]): each
        for each in documents
        if isinstance(each, Mapping) and each.get("kind") == kind
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    serving = "no" if not verdict.serving else "degraded" if verdict.degraded else "yes"
    return {
        "object": str(verdict.object),
        "serving": serving,
        "accepted": _outcome(verdict.accepted),
        "resolvedRefs": _outcome(verdict.resolved_refs),
        "findings": [f"{each.severity} {each.reason} at {each.field or 'the object'}" for each in verdict.findings],
    }


def _outcome(outcome: Outcome) -> str:
    said = f"{outcome.status} {outcome.reason}"
    return f"{said}: {outcome.message}" if outcome.message else said
