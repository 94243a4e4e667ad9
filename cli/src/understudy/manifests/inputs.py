"""Manifests as what compile looks at: files in the place of a cluster."""

from collections.abc import Iterable, Mapping

from understudy.manifests.loading import Manifest
from understudy_operator.compile import Discovered, Inputs, NamespacedName

Discoveries = Mapping[NamespacedName, Discovered]
"""What servers have said of their models, by provider."""
NOTHING_DISCOVERED: Discoveries = {}


def inputs_of(manifests: Iterable[Manifest], *, discovered: Discoveries = NOTHING_DISCOVERED) -> Inputs:
    """The inputs of compile. Every namespace that is named exists, with the label that Kubernetes gives to all."""
    given = tuple(manifests)
    return Inputs(
        objects=tuple(each.raw for each in given if each.is_ours),
        secrets={(each.namespace, each.name): each.raw for each in given if each.kind == "Secret"},
        config_maps={(each.namespace, each.name): each.raw for each in given if each.kind == "ConfigMap"},
        namespaces=_namespaces(given),
        discovered=discovered,
    )


def _namespaces(manifests: Iterable[Manifest]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for each in manifests:
        name = each.name if each.kind == "Namespace" else each.namespace
        own = _labels(each) if each.kind == "Namespace" else {}
        found[name] = {"kubernetes.io/metadata.name": name, **found.get(name, {}), **own}
    return found


def _labels(manifest: Manifest) -> dict[str, str]:
    metadata = manifest.raw.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    given = labels if isinstance(labels, Mapping) else {}
    return {str(key): value for key, value in given.items() if isinstance(value, str)}
