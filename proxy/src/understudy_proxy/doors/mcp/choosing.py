"""Which model a call of a tool means: one that it names, one of a provider that it names, or the default."""

from collections.abc import Mapping
from typing import Any

from understudy_api.config import Capability
from understudy_proxy.config.runtime import Runtime
from understudy_proxy.dialects.fields import optional_string
from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.routing.default import default_model
from understudy_proxy.routing.names import provider_key
from understudy_proxy.routing.resolve import NotFound, resolve

_SHOWN = 64


class Choosing:
    """Finds names to ask for."""

    def __init__(self, names: Names) -> None:
        """Look them up in `names`."""
        self._names = names

    def model(self, request: Request, given: Mapping[str, Any]) -> str:
        """The name to ask for, by the fields `model` and `provider`.

        Raises:
            RequestError: one of them is no string.
            Refused: there is nothing that they could mean.
        """
        model, provider = optional_string(given, "model", ""), optional_string(given, "provider", "")
        if provider and not (model or "").startswith(f"{provider}/"):
            return f"{provider}/{model or self._first_of(request, provider)}"
        return model or self.default(request)

    def default(self, request: Request) -> str:
        """The name that stands for whoever names none.

        Raises:
            Refused: this caller can reach no route at all.
        """
        name = default_model(self._names.runtime(), namespace=self._names.namespace(request))
        if name is None:
            raise Refused(
                404,
                "No model was named, and there is no route that could stand for it. Name one: PROVIDER/MODEL does.",
                code="model_not_found",
                param="model",
                reason="model_not_found",
            )
        return name

    def known(self, request: Request, model: str) -> bool:
        """Whether this caller can ask for `model`."""
        found = resolve(self._names.runtime(), model, namespace=self._names.namespace(request))
        return not isinstance(found, NotFound)

    def _first_of(self, request: Request, provider: str) -> str:
        """The first model of a provider that can converse."""
        runtime = self._names.runtime()
        for name in _models(runtime, provider):
            if self.known(request, f"{provider}/{name}"):
                return name
        raise Refused(
            404,
            f"The provider {provider[:_SHOWN]!r} does not exist, has no model to chat with, or is not for you to use.",
            code="provider_not_found",
            param="provider",
            reason="model_not_found",
        )


def _models(runtime: Runtime, provider: str) -> list[str]:
    upstreams = [runtime.upstreams.get(key) for key in runtime.index.providers.get(provider_key(provider), ())]
    return [
        name
        for upstream in upstreams
        if upstream is not None
        for name, candidate in upstream.candidates.items()
        if Capability.CHAT in candidate.capabilities
    ]
