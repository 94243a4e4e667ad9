"""Models that a provider leaves to its server to list: named once, and then taken as given.

Nobody is asked when files are checked, so what a server lists is not known. Without this every reference to such a
model would be an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from understudy.linting.findings import Finding, about
from understudy.manifests import Manifest
from understudy_api.v1alpha1 import AnyResource, LLMProvider, LLMRoute, Persona
from understudy_api.v1alpha1.meta import ObjectReference
from understudy_operator.compile import (
    Discovered,
    DiscoveredModel,
    Inputs,
    NamespacedName,
    Reason,
    Severity,
    compile_objects,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that names a model of a provider."""

    manifest: Manifest
    field: str
    provider: NamespacedName
    model: str


def assume_models(
    inputs: Inputs, resources: tuple[tuple[Manifest, AnyResource], ...]
) -> tuple[Inputs, tuple[Finding, ...]]:
    """The inputs as if each server listed what is wanted of it, and a warning for each field that wants it."""
    asked = {inquiry.provider: inquiry.base_url for inquiry in compile_objects(inputs).inquiries}
    if not asked:
        return inputs, ()
    listed = dict(_listed(resources))
    wanted = [
        reference
        for manifest, resource in resources
        for reference in _references(manifest, resource)
        if reference.provider in asked and reference.model not in listed[reference.provider]
    ]
    discovered = {
        at: _as_if(base_url, listed[at], {each.model for each in wanted if each.provider == at})
        for at, base_url in asked.items()
    }
    return replace(inputs, discovered=discovered), tuple(_finding(reference) for reference in wanted)


def _as_if(base_url: str, listed: Mapping[str, str], wanted: set[str]) -> Discovered:
    """With a model at least, which personas may cast that name none."""
    names = sorted({*listed.values(), *wanted}) or ["any"]
    return Discovered(base_url, models=tuple(DiscoveredModel(id=name, name=name) for name in names))


def _listed(resources: tuple[tuple[Manifest, AnyResource], ...]) -> Iterator[tuple[NamespacedName, Mapping[str, str]]]:
    for manifest, resource in resources:
        if isinstance(resource, LLMProvider):
            models = {model.name: model.upstream_name or model.name for model in resource.spec.models}
            yield (manifest.namespace, manifest.name), models


def _references(manifest: Manifest, resource: AnyResource) -> Iterator[Reference]:
    def reference(field: str, ref: ObjectReference, model: str) -> Reference:
        return Reference(manifest, field, (ref.namespace or manifest.namespace, ref.name), model)

    match resource:
        case LLMRoute():
            for place, rule in enumerate(resource.spec.rules):
                for index, backend in enumerate(rule.backends):
                    field = f"spec.rules[{place}].backends[{index}].model"
                    yield reference(field, backend.provider_ref, backend.model)
        case Persona():
            for index, preference in enumerate(resource.spec.preferences or ()):
                if preference.provider_ref is not None and preference.model is not None:
                    yield reference(f"spec.preferences[{index}].model", preference.provider_ref, preference.model)
        case _:
            return


def _finding(reference: Reference) -> Finding:
    provider = "/".join(reference.provider)
    message = f"LLMProvider {provider} leaves its models to its server, which must list {reference.model}"
    return about(reference.manifest, reference.field, Severity.WARNING, reason=Reason.MODEL_NOT_LISTED, message=message)
