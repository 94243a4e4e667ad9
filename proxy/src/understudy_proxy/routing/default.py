"""Which name stands for whoever names none: where a protocol has no place for a model, or makes it optional."""

from understudy_proxy.config.runtime import Runtime, RuntimeTarget
from understudy_proxy.routing.resolve import resolve

DEFAULT = "default"
"""The name that a route may have to be asked by those who name none."""


def default_model(runtime: Runtime, *, namespace: str | None) -> str | None:
    """The name to ask for on behalf of a caller in `namespace` who names none; None where nothing is visible to it.

    It is `default`, and where no route has that name, a name of the oldest route: of the caller's own namespace, or
    where that has none, of those visible to it.
    """
    if isinstance(resolve(runtime, DEFAULT, namespace=namespace), RuntimeTarget):
        return DEFAULT
    visible: str | None = None
    for name, key in runtime.config.names.routes_by_age:
        target = runtime.targets.get(key)
        if target is None or (visible is not None and target.namespace != namespace):
            continue
        if resolve(runtime, name, namespace=namespace) is target:
            if target.namespace == namespace:
                return name
            visible = name
    return visible
