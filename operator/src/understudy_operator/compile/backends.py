"""From a reference to a model at a provider: found and permitted, or why not."""

from collections.abc import Mapping

from understudy_api.config import Provider
from understudy_api.v1alpha1.meta import LabelSelector, ObjectReference
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.lookup import Lookup, not_permitted
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.namespaces import Namespaces, matches
from understudy_operator.compile.providers import CompiledProvider
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import ObjectKey, Reason


class Directory:
    """The providers that routes and personas may refer to."""

    def __init__(
        self,
        providers: Mapping[NamespacedName, CompiledProvider],
        unreadable: Mapping[ObjectKey, Report],
        namespaces: Namespaces,
    ) -> None:
        self._providers = providers
        self.namespaces = namespaces
        self._lookup = Lookup(
            "LLMProvider",
            providers,
            unreadable,
            not_found=Reason.BACKEND_NOT_FOUND,
            not_served=Reason.BACKEND_NOT_SERVED,
        )
        self._selected: dict[tuple[str, str], tuple[Provider, ...]] = {}  # many personas share few selectors

    def find(self, ref: ObjectReference, *, namespace: str) -> Provider | Missing:
        """The provider that an object in `namespace` refers to."""
        at = (ref.namespace or namespace, ref.name)
        found = self._lookup.find(at, namespace=namespace)
        if isinstance(found, Missing):
            return found
        if not self.namespaces.permits(found.openness, of=at[0], to=namespace):
            return not_permitted(found.item.report, namespace=namespace, field="spec.allowedNamespaces")
        return found.config or self._lookup.not_served(found.item.report)

    def find_model(self, provider: Provider, model: str) -> Missing | None:
        """Why `provider` cannot serve `model`; None when it can."""
        if model in provider.models:
            return None
        asked = self._providers[provider.namespace, provider.name].inquiry is not None
        nor = ", nor has its server told of it" if asked else ""
        message = f"{label_of(provider)} does not list the model {model} in its spec.models{nor}"
        return Missing(Reason.MODEL_NOT_FOUND, message, wanted=model, known=tuple(provider.models))

    def select(self, selector: LabelSelector, *, namespace: str) -> tuple[Provider, ...]:
        """The served providers that match, of those that an object in `namespace` may refer to, by their keys."""
        asked = (namespace, selector.model_dump_json())
        if asked not in self._selected:
            self._selected[asked] = tuple(
                provider.config
                for at, provider in self._providers.items()
                if provider.config is not None
                and matches(selector, provider.item.resource.metadata.labels)
                and self.namespaces.permits(provider.openness, of=at[0], to=namespace)
            )
        return self._selected[asked]


def key_of(provider: Provider) -> str:
    """The provider's key in the configuration."""
    return f"{provider.namespace}/{provider.name}"


def label_of(provider: Provider) -> str:
    """The provider as messages name it."""
    return f"LLMProvider {key_of(provider)}"
