"""From the name a client sends as `model` to the target it means.

The caller's own namespace is asked first, all of it: otherwise somebody else's exact name, visible to everyone, could
take over what a namespace catches with a prefix of its own. Within that, an exact name beats the longest prefix, and
`persona/NAME` and `PROVIDER/MODEL` are exact names too. `VENDOR/MODEL`, which nobody has given as a name, comes last.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from understudy_proxy.config.runtime import Runtime, RuntimeTarget
from understudy_proxy.routing.names import PERSONA_PREFIX, nearest, persona_key, provider_key


@dataclass(frozen=True, slots=True)
class NotFound:
    """No such name, or none that this caller may see; the two are never told apart."""

    asked: str
    nearest: tuple[str, ...]
    """Visible names that look alike, the best first; at most three."""


@dataclass(frozen=True, slots=True)
class VisibleModel:
    """A name that a caller may send as `model`."""

    name: str
    owner: str
    """The namespace it comes from."""


def resolve(runtime: Runtime, model: str, *, namespace: str | None) -> RuntimeTarget | NotFound:
    """What `model` means to a caller in `namespace`; None, a caller of whom that is not known, sees what all see."""
    found = _find(runtime, model, namespace)
    if found is not None:
        return found

    def visible(name: str) -> bool:
        return _find(runtime, name, namespace) is not None

    return NotFound(asked=model, nearest=nearest(runtime.index, model, visible=visible))


def visible_models(runtime: Runtime, *, namespace: str | None) -> tuple[VisibleModel, ...]:
    """All full names that a caller in `namespace` may send, sorted; aliases and prefixes are not listed."""
    listed: list[VisibleModel] = []
    for name in runtime.index.forwards:
        target = _find(runtime, name, namespace)
        if target is not None and not _is_alias(name, target):
            listed.append(VisibleModel(name=name, owner=target.namespace))
    return tuple(listed)


def _is_alias(name: str, target: RuntimeTarget) -> bool:
    return name.startswith(PERSONA_PREFIX) and name != PERSONA_PREFIX + persona_key(target.name)


def _find(runtime: Runtime, model: str, namespace: str | None) -> RuntimeTarget | None:
    others: RuntimeTarget | None = None
    for target in _candidates(runtime, model):
        if namespace is not None and target.namespace == namespace:
            return target
        if others is None and (target.visible_to is None or namespace in target.visible_to):
            others = target
    return others


def _candidates(runtime: Runtime, model: str) -> Iterator[RuntimeTarget]:
    """Everything `model` could mean to anyone, the most exact first."""
    index = runtime.index
    targets = runtime.targets
    for key in index.exact.get(model, ()):
        yield targets[key]
    if model.startswith(PERSONA_PREFIX):
        for key in index.personas.get(persona_key(model[len(PERSONA_PREFIX) :]), ()):
            yield targets[key]
        return
    provider, slash, rest = model.partition("/")
    if slash:
        for key in index.providers.get(provider_key(provider), ()):
            upstream = runtime.upstreams.get(key)
            if upstream is not None and (direct := upstream.direct.get(rest)) is not None:
                yield direct
    for keys in index.prefixed(model):
        for key in keys:
            yield targets[key]
    for key, name in index.vendors.get(model, ()):
        yield runtime.upstreams[key].direct[name]
