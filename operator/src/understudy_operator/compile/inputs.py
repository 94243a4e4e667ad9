"""What compile looks at: plain decoded JSON objects, as the API server or a file gives them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy_operator.compile.discovered import Discovered

NamespacedName = tuple[str, str]
"""(namespace, name)"""
RawObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything compile looks at.

    Attributes:
        objects: LLMProviders, LLMRoutes, Personas and LLMTools in any order, and any junk.
        secrets: Secrets as they are; absent or None is "not found".
        config_maps: ConfigMaps as they are; absent or None is "not found".
        namespaces: Labels of the namespaces that there are, for selectors.
        discovered: What the servers of LLMProviders have said of their models; absent is not asked yet.
    """

    objects: tuple[RawObject, ...]
    secrets: Mapping[NamespacedName, RawObject | None]
    config_maps: Mapping[NamespacedName, RawObject | None]
    namespaces: Mapping[str, Mapping[str, str]]
    discovered: Mapping[NamespacedName, Discovered] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class References:
    """The Secrets and ConfigMaps that some objects name."""

    secrets: frozenset[NamespacedName]
    config_maps: frozenset[NamespacedName]


def references(objects: Iterable[RawObject]) -> References:
    """Which Secrets and ConfigMaps to read before compiling `objects`. Never raises.

    Works on raw objects, so that nothing is validated twice; of a broken object it may name too much.
    """
    secrets: set[NamespacedName] = set()
    config_maps: set[NamespacedName] = set()
    for raw in objects:
        namespace = _text(raw, "metadata", "namespace") or "default"
        secrets.update((namespace, name) for path in _SIGN_IN if (name := _text(raw, "spec", "auth", *path, "name")))
        if bundle := _text(raw, "spec", "tls", "caBundleRef", "name"):
            in_secret = _text(raw, "spec", "tls", "caBundleRef", "kind") == "Secret"
            (secrets if in_secret else config_maps).add((namespace, bundle))
        if token := _text(raw, "spec", "handler", "http", "auth", "bearer", "secretKeyRef", "name"):
            secrets.add((namespace, token))
        if prompt := _text(raw, "spec", "system", "configMapKeyRef", "name"):
            config_maps.add((namespace, prompt))
    return References(secrets=frozenset(secrets), config_maps=frozenset(config_maps))


_SIGN_IN = (
    ("apiKey", "secretKeyRef"),
    ("aws", "secretRef"),
    ("gcp", "secretKeyRef"),
    ("azure", "clientSecretRef"),
)
"""Where in `spec.auth` Secrets are named."""


def _text(value: Any, *path: str) -> str | None:
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value if isinstance(value, str) else None
