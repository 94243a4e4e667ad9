"""What a gateway lists of itself: the roles that may be cast, and where models run. Missing fields are never errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.client._errors import InvalidAnswer


@dataclass(frozen=True, slots=True)
class Persona:
    """A role that this caller may cast, as `persona/NAME`.

    Attributes:
        name: Its own.
        namespace: Where it is defined.
        aliases: Other names of it.
        description: What it is for.
        provider_preferences: Who plays it, the best one first.
        requires: What a model must be able to do.
        tools: Functions that it declares, by name.
        revision: Of its prompt; answers name it as well.
        available: Whether somebody could play it now.
        why_not: What keeps everybody from it; "" where somebody could.
        raw: As it came.
    """

    name: str
    namespace: str = ""
    aliases: tuple[str, ...] = ()
    description: str = ""
    provider_preferences: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    revision: str = ""
    available: bool = False
    why_not: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where models run that this caller may ask for, as `NAME/MODEL`.

    Attributes:
        name: Its own.
        namespace: Where it is defined.
        type: Such as `Anthropic`.
        models: What it serves, by name.
        capabilities: What one of its models can do at least.
        max_context: The largest window, in tokens; None where none is known.
        cost_tier: `Low`, `Medium` or `High`, of its dearest model; "" where no price is known.
        health: `healthy`, `degraded` or `unhealthy`.
        detail: What ails it; "" where nothing does.
        raw: As it came.
    """

    name: str
    namespace: str = ""
    type: str = ""
    models: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    max_context: int | None = None
    cost_tier: str = ""
    health: str = ""
    detail: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def persona_list(raw: Any) -> tuple[Persona, ...]:
    """The roles of a list.

    Raises:
        InvalidAnswer: it is no list of personas.
    """
    return tuple(
        Persona(
            name=_text(each.get("name")),
            namespace=_text(each.get("namespace")),
            aliases=_texts(each.get("aliases")),
            description=_text(each.get("description")),
            provider_preferences=_texts(each.get("provider_preferences")),
            requires=_texts(each.get("requires")),
            tools=_texts(each.get("tools")),
            revision=_text(each.get("revision")),
            available=each.get("available") is True,
            why_not=_text(each.get("why_not")),
            raw=each,
        )
        for each in _objects(raw, what="personas")
    )


def provider_list(raw: Any) -> tuple[Provider, ...]:
    """The providers of a list.

    Raises:
        InvalidAnswer: it is no list of providers.
    """
    return tuple(_provider(each) for each in _objects(raw, what="providers"))


def _provider(raw: Mapping[str, Any]) -> Provider:
    models, health, window = raw.get("models"), raw.get("health"), raw.get("max_context")
    known = [each for each in models if isinstance(each, dict)] if isinstance(models, list) else []
    state: Mapping[str, Any] = health if isinstance(health, dict) else {}
    return Provider(
        name=_text(raw.get("name")),
        namespace=_text(raw.get("namespace")),
        type=_text(raw.get("type")),
        models=tuple(_text(each.get("name")) for each in known),
        capabilities=_texts(raw.get("capabilities")),
        max_context=window if isinstance(window, int) else None,
        cost_tier=_text(raw.get("cost_tier")),
        health=_text(state.get("status")),
        detail=_text(state.get("detail")),
        raw=raw,
    )


def _objects(raw: Any, *, what: str) -> list[dict[str, Any]]:
    if not isinstance(raw, list):
        raise InvalidAnswer(f"the answer is no list of {what}: is the address a gateway's?")
    return [each for each in raw if isinstance(each, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
