"""Who may refer to what across namespaces, and whose callers may use it."""

from collections.abc import Mapping

from understudy_api.v1alpha1.meta import (
    AllowedNamespaces,
    FromNamespaces,
    LabelSelector,
    LabelSelectorOperator,
    LabelSelectorRequirement,
)
from understudy_api.v1alpha1.policy import Access

NAME_LABEL = "kubernetes.io/metadata.name"
"""The API server sets it on every namespace; files need not say it."""

Openness = AllowedNamespaces | Access


class Namespaces:
    """The namespaces there are, and which of them an object is open to."""

    def __init__(self, labels: Mapping[str, Mapping[str, str]]) -> None:
        self._labels = {name: {NAME_LABEL: name, **given} for name, given in labels.items()}
        self._selected: dict[str, tuple[str, ...]] = {}  # many objects share few selectors

    def permits(self, openness: Openness, *, of: str, to: str) -> bool:
        """Whether an object in namespace `of` is open to namespace `to`; to its own it always is."""
        if of == to or openness.from_ is FromNamespaces.ALL:
            return True
        if openness.from_ is FromNamespaces.SAME or openness.selector is None:
            return False
        return matches(openness.selector, self._labels.get(to, {NAME_LABEL: to}))

    def visible_to(self, openness: Openness, *, of: str) -> tuple[str, ...] | None:
        """The namespaces, beside its own, that an object in namespace `of` is open to; None means all."""
        if openness.from_ is FromNamespaces.ALL:
            return None
        if openness.from_ is FromNamespaces.SAME or openness.selector is None:
            return ()
        return tuple(name for name in self._select(openness.selector) if name != of)

    def _select(self, selector: LabelSelector) -> tuple[str, ...]:
        spelled = selector.model_dump_json()
        if spelled not in self._selected:
            found = (name for name, labels in sorted(self._labels.items()) if matches(selector, labels))
            self._selected[spelled] = tuple(found)
        return self._selected[spelled]


def matches(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector, as Kubernetes defines it: an absent label is not In and is NotIn."""
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _holds(requirement, labels) for requirement in selector.match_expressions
    )


def _holds(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case LabelSelectorOperator.IN:
            return value in requirement.values
        case LabelSelectorOperator.NOT_IN:
            return value not in requirement.values
        case LabelSelectorOperator.EXISTS:
            return value is not None
        case LabelSelectorOperator.DOES_NOT_EXIST:
            return value is None
