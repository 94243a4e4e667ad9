"""Whom a persona casts: what a model must offer, and the backends that its preferences come to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from understudy_api.config import Backend, Capability, Provider, ProviderModel, Rule
from understudy_api.v1alpha1.meta import LabelSelector, ObjectReference
from understudy_api.v1alpha1.persona import Constraints, CostTier, Preference
from understudy_operator.compile.backends import Directory, key_of, label_of
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason

MAX_CAST = 32
"""Backends of one preference: as many as a rule of an LLMRoute may have."""

_TIERS = tuple(CostTier)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a model must offer to be cast."""

    requires: frozenset[Capability]
    constraints: Constraints

    def why_not(self, model: ProviderModel) -> str | None:
        """What a model lacks, with the remedy; None when it may be cast."""
        lacking = sorted(self.requires - model.capabilities)
        if lacking:
            return f"lacks {', '.join(lacking)}"
        window, wanted = model.context_window, self.constraints.min_context_window
        if wanted is not None and (window is None or window < wanted):
            has = f"has a context window of {window}" if window else "has no known contextWindow (set it there)"
            return f"{has}; {wanted} are wanted"
        return self._too_expensive(model)

    def _too_expensive(self, model: ProviderModel) -> str | None:
        most = self.constraints.max_cost_tier
        if most is None or most is CostTier.HIGH:
            return None
        if model.cost_tier is None:
            return "has no known pricing (set it there)"
        tier = CostTier(model.cost_tier)
        return f"is of cost tier {tier}; {most} is the highest wanted" if _is_above(tier, most) else None


@dataclass(frozen=True, slots=True)
class Caster:
    """Finds the backends for one persona."""

    report: Report
    requirements: Requirements
    directory: Directory
    namespace: str

    def cast(self, preferences: tuple[Preference, ...]) -> tuple[Backend, ...]:
        """The backends of all preferences, the first one's first; each model once, where it is most preferred."""
        found: dict[tuple[str, str], Backend] = {}
        for priority, preference in enumerate(preferences):
            at = f"spec.preferences[{priority}]"
            if preference.selector is not None:
                models = self._selected(preference.selector, preference.model, field=f"{at}.selector")
            elif preference.provider_ref is not None:
                models = self._named(preference.provider_ref, preference.model, at=at)
            else:
                continue
            for provider, model in models:
                found.setdefault((provider, model), Backend(provider=provider, model=model, priority=priority))
        return tuple(found.values())

    def narrowed(self, rules: tuple[Rule, ...], *, field: str) -> tuple[Rule, ...]:
        """Somebody else's rules with the backends that suit."""
        narrowed = []
        for rule in rules:
            backends = tuple(backend for backend in rule.backends if self._suits(backend, field=field))
            if backends:
                narrowed.append(rule.model_copy(update={"backends": backends}))
        return tuple(narrowed)

    def _named(self, ref: ObjectReference, model: str | None, *, at: str) -> list[tuple[str, str]]:
        provider = self.directory.find(ref, namespace=self.namespace)
        if isinstance(provider, Missing):
            self.report.unresolved(f"{at}.providerRef", provider)
            return []
        if model is None:
            models = list(islice(self._suitable(provider), MAX_CAST + 1))
            if not models:
                message = f"no model of {label_of(provider)} meets spec.requires and spec.constraints"
                self.report.error(Reason.MODEL_NOT_SUITABLE, f"{at}.providerRef", message)
            return self._bounded(models, field=f"{at}.providerRef")
        missing = self.directory.find_model(provider, model) or self._unsuitable(provider, model)
        if missing is None:
            return [(key_of(provider), model)]
        self.report.unresolved(f"{at}.model", missing)
        return []

    def _selected(self, selector: LabelSelector, model: str | None, *, field: str) -> list[tuple[str, str]]:
        providers = self.directory.select(selector, namespace=self.namespace)
        suitable = (each for provider in providers for each in self._suitable(provider) if model in {None, each[1]})
        models = list(islice(suitable, MAX_CAST + 1))
        if not providers:
            message = "matches no LLMProvider that is served and allows references from this namespace"
            self.report.error(Reason.BACKEND_NOT_FOUND, field, message)
        elif not models:
            wanted = f"the model {model}" if model else "a model"
            message = f"matches no LLMProvider with {wanted} that meets spec.requires and spec.constraints"
            self.report.error(Reason.MODEL_NOT_SUITABLE, field, message)
        return self._bounded(models, field=field)

    def _suitable(self, provider: Provider) -> Iterator[tuple[str, str]]:
        for name, model in provider.models.items():
            if self.requirements.why_not(model) is None:
                yield key_of(provider), name

    def _unsuitable(self, provider: Provider, model: str) -> Missing | None:
        why = self.requirements.why_not(provider.models[model])
        return Missing(Reason.MODEL_NOT_SUITABLE, f"{model} at {label_of(provider)} {why}") if why else None

    def _suits(self, backend: Backend, *, field: str) -> bool:
        namespace, _, name = backend.provider.partition("/")
        provider = self.directory.find(ObjectReference(name=name, namespace=namespace), namespace=namespace)
        missing = provider if isinstance(provider, Missing) else self._unsuitable(provider, backend.model)
        if missing is not None:
            self.report.warn(missing.reason, field, f"leads to a model that is not cast: {missing.message}")
        return missing is None

    def _bounded(self, models: list[tuple[str, str]], *, field: str) -> list[tuple[str, str]]:
        if len(models) > MAX_CAST:
            message = f"leads to more than {MAX_CAST} models, of which the first {MAX_CAST} are cast: narrow it"
            self.report.warn(Reason.TOO_MANY, field, message)
        return models[:MAX_CAST]


def _is_above(tier: CostTier, other: CostTier) -> bool:
    return _TIERS.index(tier) > _TIERS.index(other)
