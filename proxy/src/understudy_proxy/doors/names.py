"""What a name means to the caller of a request: the current configuration, asked the same way by every door."""

from understudy_proxy.config.holder import RuntimeHolder
from understudy_proxy.config.runtime import Runtime, RuntimeTarget
from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.routing.default import DEFAULT, default_model
from understudy_proxy.routing.resolve import NotFound, resolve

_SHOWN = 128
"""Characters of a name that an error repeats."""


class Names:
    """Looks names up in whatever configuration is current when a request begins."""

    def __init__(self, holder: RuntimeHolder, *, default_namespace: str | None = None) -> None:
        """Ask in `default_namespace` where a request does not say its own."""
        self._holder = holder
        self._default_namespace = default_namespace

    def runtime(self) -> Runtime:
        """The configuration for a request that begins now.

        Raises:
            Refused: none has been loaded yet.
        """
        runtime = self._holder.current
        if runtime is None:
            raise Refused(
                503,
                "The gateway has no configuration yet; try again shortly.",
                type="server_error",
                code="no_configuration",
                reason="no_configuration",
                headers=(("retry-after", "1"),),
            )
        return runtime

    def namespace(self, request: Request) -> str | None:
        """Where the caller's names are looked up first."""
        return request.namespace or self._default_namespace

    def target(self, runtime: Runtime, model: str, *, namespace: str | None) -> RuntimeTarget:
        """What `model` leads to; `default` to the oldest route where no route has that name.

        Raises:
            Refused: nothing that this caller may use.
        """
        if model == DEFAULT:
            model = default_model(runtime, namespace=namespace) or DEFAULT
        found = resolve(runtime, model, namespace=namespace)
        if isinstance(found, NotFound):
            raise _unknown(found)
        return found


def _unknown(missing: NotFound) -> Refused:
    asked = missing.asked if len(missing.asked) <= _SHOWN else f"{missing.asked[:_SHOWN]}…"
    hint = f" Did you mean {' or '.join(missing.nearest)}?" if missing.nearest else " GET /v1/models lists what does."
    return Refused(
        404,
        f"The model '{asked}' does not exist or is not for you to use.{hint}",
        code="model_not_found",
        param="model",
        reason="model_not_found",
    )
