"""Secrets that are not among the files, because secrets seldom are: named once, and then taken as given.

Compiling goes on as if they were there. Otherwise one Secret that lives in a vault would take out its provider, and
every route that leads to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from understudy.linting.findings import Finding, about
from understudy.manifests import Manifest
from understudy_api.v1alpha1 import AnyResource
from understudy_api.v1alpha1.fields import field_path
from understudy_api.v1alpha1.meta import CABundleReference, SecretKeySelector
from understudy_api.v1alpha1.model import ApiModel
from understudy_api.v1alpha1.provider import SecretRef
from understudy_operator.compile import Inputs, Severity

_VALUE = '{"type": "service_account"}'
"""Passes for a key in a header as well as for a service account's in JSON."""
_ACCESS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""What a Secret that is named as a whole is for."""
_BUNDLE_PATH = ("spec", "tls", "caBundleRef")


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that names a Secret, and the keys that must be in it."""

    path: tuple[str | int, ...]
    name: str
    keys: tuple[str, ...]


def assume_secrets(
    inputs: Inputs, resources: tuple[tuple[Manifest, AnyResource], ...]
) -> tuple[Inputs, tuple[Finding, ...]]:
    """The inputs with the Secrets that are not there, and a warning for each field that names one."""
    secrets: dict[tuple[str, str], Any] = {}
    without_bundle: set[int] = set()
    findings = []
    for manifest, resource in resources:
        for reference in _references(resource, ()):
            at = (resource.metadata.namespace, reference.name)
            if at in inputs.secrets:
                continue
            findings.append(_finding(manifest, reference, namespace=at[0]))
            if reference.path == _BUNDLE_PATH:
                without_bundle.add(id(manifest.raw))
            else:
                assumed = secrets.setdefault(at, {"stringData": {}})["stringData"]
                assumed.update(dict.fromkeys(reference.keys, _VALUE))
    objects = tuple(_without_bundle(raw) if id(raw) in without_bundle else raw for raw in inputs.objects)
    return replace(inputs, objects=objects, secrets={**inputs.secrets, **secrets}), tuple(findings)


def _finding(manifest: Manifest, reference: Reference, *, namespace: str) -> Finding:
    keys = f"the key {reference.keys[0]}" if len(reference.keys) == 1 else f"the keys {' and '.join(reference.keys)}"
    message = f"Secret {namespace}/{reference.name} is not in these files; the cluster must have it with {keys}"
    path = field_path((*reference.path, "name"))
    return about(manifest, path, Severity.WARNING, reason="SecretNotFound", message=message)


def _references(part: ApiModel, path: tuple[str | int, ...]) -> Iterator[Reference]:
    match part:
        case SecretKeySelector():
            yield Reference(path, part.name, (part.key,))
        case CABundleReference(kind="Secret"):
            yield Reference(path, part.name, (part.key,))
        case SecretRef():
            yield Reference(path, part.name, _ACCESS_KEYS)
        case _:
            for step, inner in _parts(part):
                yield from _references(inner, (*path, *step))


def _parts(part: ApiModel) -> Iterator[tuple[tuple[str | int, ...], ApiModel]]:
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if isinstance(value, ApiModel):
            yield (field.alias or name,), value
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, ApiModel):
                    yield (field.alias or name, index), item


def _without_bundle(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The provider as if the system's certificates sufficed: nobody can make up a certificate."""
    spec = raw["spec"]
    tls = {key: value for key, value in spec["tls"].items() if key != _BUNDLE_PATH[-1]}
    return {**raw, "spec": {**spec, "tls": tls}}
