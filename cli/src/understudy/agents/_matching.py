"""Who offers what is wanted, the best first. Pure: what a registry lists goes in, an order comes out.

A tag `x` must be there, `+x` is better there, `-x` must not be there. More of them is better, then the higher version,
then the agent whose id comes first, so that all who ask the same get the same. Without any tags it is who registered
first. A gateway steps in where nobody else is, so it comes last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from understudy.agents._versions import check_constraint, satisfies, version
from understudy.client import InvalidAnswer, ProviderNotFound

STREAM_TAG = "ai.mcpmesh.stream"
"""What tells a function that streams from its twin that does not."""
GATEWAY = "understudy"
"""The agent that a gateway is."""
_REQUIRED, _PREFERRED = 5, 10
"""What a tag counts, as registries count it."""
_SHOWN = 8
"""Offers that an error names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    capability: str
    tags: tuple[str, ...] = ()
    version: str = ""

    @classmethod
    def of(cls, provider: Mapping[str, Any]) -> Self:
        """As an app says it: `{"capability": "llm", "tags": ["claude"], "version": ">=1.0"}`.

        Raises:
            TypeError: it says something else.
        """
        if not isinstance(provider, Mapping):
            raise TypeError("provider must be a mapping, such as {'capability': 'llm', 'tags': ['claude']}")
        if unknown := provider.keys() - {"capability", "tags", "version"}:
            raise TypeError(f"provider has capability, tags and version, and no {min(map(str, unknown))}")
        capability, tags, constraint = provider.get("capability"), provider.get("tags", ()), provider.get("version", "")
        if not (isinstance(capability, str) and capability):
            raise TypeError("provider must name a capability, such as 'llm'")
        if isinstance(tags, str) or not all(isinstance(tag, str) and tag.strip("+-") for tag in tags):
            raise TypeError("provider's tags must be a list of texts, such as ['claude', '+fast', '-beta']")
        if not isinstance(constraint, str):
            raise TypeError("provider's version must be a text, such as '>=1.0'")
        check_constraint(constraint)
        return cls(capability, tuple(tags), constraint)

    def __str__(self) -> str:
        tags = f" with {', '.join(self.tags)}" if self.tags else ""
        return f"{self.capability}{tags}{f' in version {self.version}' if self.version else ''}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A function of an agent."""

    agent_id: str
    agent: str
    endpoint: str
    function: str
    capability: str
    tags: frozenset[str]
    version: str
    healthy: bool
    since: str = ""
    """When the agent registered, as the registry writes it."""

    @property
    def streams(self) -> bool:
        """Whether it is the one of two twins that streams."""
        return STREAM_TAG in self.tags

    def __str__(self) -> str:
        tags = ", ".join(sorted(self.tags))
        state = "" if self.healthy else ", not healthy"
        return f"{self.agent} ({self.capability}{f' with {tags}' if tags else ''}, {self.version}{state})"


def offers(raw: Any) -> tuple[Offer, ...]:
    """What the agents of a registry's list offer; what cannot be called is left out.

    Raises:
        InvalidAnswer: it is no such list.
    """
    if not (isinstance(raw, Mapping) and "agents" in raw):
        raise InvalidAnswer("the answer is no list of agents: is the address a registry's?")
    agents = raw["agents"]
    found = [each for each in agents if isinstance(each, Mapping)] if isinstance(agents, list) else []
    return tuple(offer for agent in found for offer in _offers_of(agent))


def matching(known: Iterable[Offer], wanted: Wanted, *, stream: bool) -> tuple[Offer, ...]:
    """Who fits, the best first. To be streamed, twins that do not stream come after all that do."""
    fitting = [
        each
        for each in known
        if each.healthy
        and each.capability == wanted.capability
        and satisfies(each.version, wanted.version)
        and _score(each.tags, wanted.tags) is not None
        and (stream or not each.streams)
    ]
    return tuple(sorted(fitting, key=lambda each: (each.streams is not stream, *_rank(each, wanted))))


def not_found(known: Sequence[Offer], wanted: Wanted, *, registry: str) -> ProviderNotFound:
    """The error where nobody fits: what was looked for, and what there is."""
    shown_first = sorted(known, key=lambda each: each.capability != wanted.capability)
    there = [str(each) for each in shown_first if not each.streams]
    shown = "; ".join(there[:_SHOWN]) + (f"; and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
    return ProviderNotFound(f"no agent at {registry} offers {wanted}; {f'there are {shown}' if there else 'none does'}")


def _offers_of(agent: Mapping[str, Any]) -> Iterable[Offer]:
    endpoint, capabilities = _text(agent.get("endpoint")), agent.get("capabilities")
    if not _is_address(endpoint):
        return
    for each in capabilities if isinstance(capabilities, list) else []:
        function = _text(each.get("function_name")) if isinstance(each, Mapping) else ""
        if function and not function.startswith("__"):  # those are the mesh's own
            tags = each.get("tags")
            yield Offer(
                agent_id=_text(agent.get("id")),
                agent=_text(agent.get("name")),
                endpoint=endpoint.rstrip("/"),
                function=function,
                capability=_text(each.get("name")),
                tags=frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset(),
                version=_text(each.get("version")) or "1.0.0",
                since=_text(agent.get("created_at")),
                healthy=agent.get("status") == "healthy" and each.get("available") is not False,
            )


def _is_address(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _rank(offer: Offer, wanted: Wanted) -> tuple[bool, int, tuple[int, ...], str, str]:
    tagged = bool(wanted.tags)
    return (
        offer.agent == GATEWAY,
        -(_score(offer.tags, wanted.tags) or 0),
        tuple(-part for part in version(offer.version)) if tagged else (),
        "" if tagged else offer.since,
        offer.agent_id,
    )


def _score(tags: frozenset[str], wanted: Sequence[str]) -> int | None:
    """How well tags fit; None where they do not."""
    score = 0
    for tag in wanted:
        there = tag.lstrip("+-") in tags
        if tag.startswith("+"):
            score += _PREFERRED * there
        elif tag.startswith("-"):
            if there:
                return None
        elif not there:
            return None
        else:
            score += _REQUIRED
    return score


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
