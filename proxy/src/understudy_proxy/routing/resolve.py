"""From the name a client sends as `model` to the target it means."""

from dataclasses import dataclass

from understudy_proxy.config.runtime import Runtime, RuntimeTarget


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
    """What `model` means to a caller in `namespace`; None is a caller whose namespace is not known."""
    raise NotImplementedError


def visible_models(runtime: Runtime, *, namespace: str | None) -> tuple[VisibleModel, ...]:
    """All names that a caller in `namespace` may send, without prefixes, sorted."""
    raise NotImplementedError
