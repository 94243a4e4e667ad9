"""Whom an agent finds for what it looks for: other agents for its functions, a model, and tools for that model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from understudy_proxy.mesh.agents import Offer, Registration, Tool, ToolFilter, Wanted
from understudy_proxy.mesh.matching import best_dependency, best_provider, ranked

MAX_FOUND = 256
"""Tools that one part of a filter finds; no model takes more."""
_MAX_LINKS = 256
"""Of an agent and a kind, that are remembered."""
_BEST, _EVERYTHING = "best_match", "*"


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found for something that an agent looks for."""

    function: str
    """The agent's own, which looks for it."""
    wanted: Wanted
    offers: tuple[Offer, ...]
    """Empty: nobody has it. More than one only for the tools of a model."""
    mode: str = ""
    """Of a filter."""


@dataclass(frozen=True, slots=True)
class Partners:
    """All that was found for an agent, in the order in which it said what it looks for."""

    dependencies: tuple[Resolved, ...] = ()
    providers: tuple[Resolved, ...] = ()
    tools: tuple[Resolved, ...] = ()
    """One for each part of a filter."""
    toolboxes: dict[str, tuple[Offer, ...]] = field(default_factory=dict)
    """By function: what its filter lets its model use, each name once."""


class Link(NamedTuple):
    """What is remembered of something found, or not found. Holds nothing of the other agent."""

    function: str
    wanted: Wanted
    mode: str
    agent_id: str = ""
    tool: str = ""
    capability: str = ""
    endpoint: str = ""


class Links(NamedTuple):
    """What is remembered of what an agent found."""

    dependencies: tuple[Link, ...] = ()
    providers: tuple[Link, ...] = ()
    tools: tuple[Link, ...] = ()


NO_LINKS = Links()


def find_partners(told: Registration, agents: Sequence[Registration]) -> Partners:
    """Whom of `agents` the agent that `told` looks for."""
    boxes = {
        tool.function: tuple(_filtered(told, tool, tool.llm_filter, agents))
        for tool in told.tools
        if tool.llm_filter is not None
    }
    return Partners(
        dependencies=tuple(
            _resolved(tool, wanted, best_dependency(agents, wanted))
            for tool in told.tools
            for wanted in tool.dependencies
        ),
        providers=tuple(
            _resolved(tool, tool.llm_provider, best_provider(agents, tool.llm_provider))
            for tool in told.tools
            if tool.llm_provider is not None
        ),
        tools=tuple(resolved for box in boxes.values() for resolved in box),
        toolboxes={function: _once(box) for function, box in boxes.items()},
    )


def links_of(found: Partners) -> Links:
    """What is worth remembering of it."""
    return Links(
        tuple(islice(_links(found.dependencies, called=False), _MAX_LINKS)),
        tuple(islice(_links(found.providers, called=True), _MAX_LINKS)),
        tuple(islice(_links(found.tools, called=True), _MAX_LINKS)),
    )


def _links(found: tuple[Resolved, ...], *, called: bool) -> Iterator[Link]:
    for each in found:
        if not each.offers:
            yield Link(each.function, each.wanted, each.mode)
        for agent, tool in each.offers:
            endpoint = agent.address if called else agent.endpoint
            yield Link(each.function, each.wanted, each.mode, agent.id, tool.function, tool.capability, endpoint)


def _resolved(tool: Tool, wanted: Wanted, found: Offer | None) -> Resolved:
    return Resolved(tool.function, wanted, () if found is None else (found,))


def _filtered(told: Registration, tool: Tool, chosen: ToolFilter, agents: Sequence[Registration]) -> Iterator[Resolved]:
    parts: tuple[Wanted, ...] = chosen.filters
    if chosen.mode == _EVERYTHING:
        parts, agents = (Wanted(_EVERYTHING),), [agent for agent in agents if agent.id != told.id]
    for wanted in parts:
        asked = Wanted("", wanted.tags, wanted.version) if wanted.capability == _EVERYTHING else wanted
        found = ranked(agents, asked)[:MAX_FOUND]
        yield Resolved(tool.function, wanted, tuple(match.offer for match in found), chosen.mode)


def _once(found: tuple[Resolved, ...]) -> tuple[Offer, ...]:
    """Each name once, for models tell tools by their names; of each capability one, where the best is asked for."""
    named: dict[str, Offer] = {}
    capable: dict[str, Offer] = {}
    for resolved in found:
        for offer in resolved.offers:
            if offer.tool.function not in named:
                named[offer.tool.function] = offer
                capable.setdefault(offer.tool.capability, offer)
    one_each = bool(found) and found[0].mode == _BEST
    return tuple((capable if one_each else named).values())
