"""What servers have said of themselves, as one of the things that compile looks at, and which servers to ask.

Asking is not here: it takes a network and a clock (`understudy_operator.discovery`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy_api.config import TLS, Capability
from understudy_api.v1alpha1.provider import ProviderType

MAX_MODELS = 256
"""Of one server: as many as an object may list."""


@dataclass(frozen=True, slots=True)
class DiscoveredModel:
    """A model as its server tells of it; None is what it does not tell.

    Attributes:
        id: What the server calls it.
        name: What routes call it, unless the object lists it under another name.
        version: Changes with what the server would tell if it were asked for more; "" is not known.
    """

    id: str
    name: str
    capabilities: frozenset[Capability] | None = None
    context_window: int | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What is known of one server because it was asked.

    Attributes:
        base_url: Where it was asked. At another address it is not known.
        models: What it said last, by name; None as long as it has said nothing.
        left_out: How many models it has beyond those.
        any_name: It answers with its one model to whatever name a request has.
        slots: How many requests it works on at the same time.
        failure: Why it could not be asked the last time, as the end of a sentence about it; "" when it could.
    """

    base_url: str
    models: tuple[DiscoveredModel, ...] | None = None
    left_out: int = 0
    any_name: bool = False
    slots: int | None = None
    failure: str = ""

    def find(self, id_: str) -> DiscoveredModel | None:
        """What it says of the model that it calls `id_`."""
        models = self.models or ()
        if self.any_name and models:
            return models[0]
        return next((model for model in models if id_ in (model.id, model.name)), None)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A server that is to be asked for its models, and how.

    Attributes:
        provider: (namespace, name) of the LLMProvider.
        headers: All that a request to it carries, its key among them; never shown.
        interval_seconds: How often.
    """

    provider: tuple[str, str]
    type: ProviderType
    base_url: str
    interval_seconds: float
    connect_seconds: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: TLS | None = None
