"""From a reference to a model at a provider: found and permitted, or why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from understudy_api.config import Provider
from understudy_api.v1alpha1.meta import ObjectReference
from understudy_api.v1alpha1.reading import nearest
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.providers import CompiledProvider
from understudy_operator.compile.sources import Missing
from understudy_operator.compile.verdict import ObjectKey, Reason, Report


@dataclass(frozen=True, slots=True)
class Directory:
    """The providers that routes and personas may refer to."""

    providers: Mapping[NamespacedName, CompiledProvider]
    unreadable: Mapping[ObjectKey, Report]
    namespaces: Namespaces
    _names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, ref: ObjectReference, *, namespace: str) -> Provider | Missing:
        """The provider that an object in `namespace` refers to."""
        at = (ref.namespace or namespace, ref.name)
        key = ObjectKey("LLMProvider", *at)
        found = self.providers.get(at)
        if found is None:
            if key in self.unreadable:
                why = self.unreadable[key].why_not_served()
                return Missing(Reason.BACKEND_NOT_SERVED, f"{key} is not served ({why})")
            return Missing(Reason.BACKEND_NOT_FOUND, f"{key} does not exist{self._hint(at, namespace=namespace)}")
        if not self.namespaces.permits(found.openness, of=at[0], to=namespace):
            message = (
                f"{key} does not allow references from namespace {namespace}: its spec.allowedNamespaces must let it in"
            )
            return Missing(Reason.REF_NOT_PERMITTED, message)
        if found.config is None:
            why = found.item.report.why_not_served()
            return Missing(Reason.BACKEND_NOT_SERVED, f"{key} is not served ({why})")
        return found.config

    def permitted(self, *, namespace: str) -> Iterable[CompiledProvider]:
        """All providers that an object in `namespace` may refer to, in the order of their keys."""
        return (
            provider
            for at, provider in self.providers.items()
            if self.namespaces.permits(provider.openness, of=at[0], to=namespace)
        )

    def _hint(self, at: NamespacedName, *, namespace: str) -> str:
        """The nearest name, but never one out of a namespace whose providers the author may not see."""
        if at[0] != namespace:
            return ""
        if namespace not in self._names:
            self._names[namespace] = tuple(name for where, name in self.providers if where == namespace)
        return hint(at[1], self._names[namespace])


def key_of(provider: Provider) -> str:
    """The provider's key in the configuration."""
    return f"{provider.namespace}/{provider.name}"


def label_of(provider: Provider) -> str:
    """The provider as messages name it."""
    return f"LLMProvider {key_of(provider)}"


def find_model(provider: Provider, model: str) -> Missing | None:
    """Why `provider` cannot serve `model`; None when it can."""
    if model in provider.models:
        return None
    if not provider.models:
        message = f"{label_of(provider)} has no models: add {model} to its spec.models"
    else:
        message = f"{label_of(provider)} has no model {model}{hint(model, provider.models)}"
    return Missing(Reason.MODEL_NOT_FOUND, message)


def hint(wanted: str, known: Iterable[str]) -> str:
    """`; did you mean gpt-4o?`, or nothing when nothing is near."""
    word = nearest(wanted, known)
    return f"; did you mean {word}?" if word else ""
