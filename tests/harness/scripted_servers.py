"""Model servers that a test scripts, for whoever asks them which models they have."""

from dataclasses import dataclass, field

from understudy_operator.compile import Discovered, DiscoveredModel, Inquiry, NamespacedName
from understudy_operator.discovery.asking import NoAnswer


@dataclass
class ScriptedServers:
    """Implements `Ask`.

    Attributes:
        models: What each server has, by the provider that leads to it; one that is not here answers nobody.
        asked: Every question so far.
    """

    models: dict[NamespacedName, tuple[str, ...]] = field(default_factory=dict)
    asked: list[Inquiry] = field(default_factory=list)

    async def __call__(self, inquiry: Inquiry, before: Discovered | None) -> Discovered:
        """What the script says, whatever was known before."""
        del before
        self.asked.append(inquiry)
        if inquiry.provider not in self.models:
            raise NoAnswer("cannot be connected to")
        models = tuple(DiscoveredModel(id=name, name=name) for name in self.models[inquiry.provider])
        return Discovered(inquiry.base_url, models=models)
