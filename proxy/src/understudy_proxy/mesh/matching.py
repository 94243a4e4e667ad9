"""Who is the right one: what agents offer against what is wanted. Pure.

A registry compares each thing that an agent looks for with thousands of functions, so what is wanted is taken apart
once for all of them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from understudy_proxy.mesh.agents import Offer, Registration, Tags, Wanted
from understudy_proxy.mesh.versions import newness, satisfies

_REQUIRED, _PREFERRED = 5, 10


class Match(NamedTuple):
    """Somebody who has what is wanted."""

    offer: Offer
    score: int
    """By tags: 5 for each that had to be there, 10 for each that was preferred."""


def ranked(agents: Iterable[Registration], wanted: Wanted) -> list[Match]:
    """Which tools that tell what they take have what is `wanted`, the best first; without tags who came first.

    Args:
        agents: Those who are well, in the order in which they came.
        wanted: What is looked for.
    """
    found = _found(agents, wanted, any_tool=False)
    if wanted.tags:
        found.sort(key=lambda match: match.offer.agent.id)
        found.sort(key=lambda match: (match.score, newness(match.offer.tool.version)), reverse=True)
    return found


def best_provider(agents: Iterable[Registration], wanted: Wanted) -> Offer | None:
    """The first of those that `ranked` gives; None if there is none."""
    found = _found(agents, wanted, any_tool=False)
    return _best(found) if wanted.tags else next((match.offer for match in found), None)


def best_dependency(agents: Iterable[Registration], wanted: Wanted) -> Offer | None:
    """As `best_provider`, but any tool will do, and the newest is the best even without tags."""
    return _best(_found(agents, wanted, any_tool=True))


def _best(found: list[Match]) -> Offer | None:
    if not found:
        return None
    top = max(match.score for match in found)
    offers = [match.offer for match in found if match.score == top]
    newest = max(newness(offer.tool.version) for offer in offers)
    return min((offer for offer in offers if newness(offer.tool.version) == newest), key=lambda offer: offer.agent.id)


def scored(tags: Iterable[str], wanted: Tags) -> int | None:
    """How well `tags` are what is `wanted`; None if they are not."""
    return _taken_apart(wanted).score(frozenset(tags))


def _found(agents: Iterable[Registration], wanted: Wanted, *, any_tool: bool) -> list[Match]:
    tags = _taken_apart(wanted.tags)
    return [
        Match(Offer(agent, tool), score)
        for agent in agents
        for tool in agent.tools
        if (not wanted.capability or tool.capability == wanted.capability)
        and (any_tool or tool.schema is not None)
        and (not wanted.version or satisfies(tool.version, wanted.version))
        and (score := tags.score(tool.tag_set)) is not None
    ]


class _Wish(NamedTuple):
    """What is asked of tags, taken apart."""

    required: frozenset[str]
    preferred: tuple[str, ...]
    excluded: frozenset[str]
    base: int
    """The score of whoever has all that is required."""
    groups: "tuple[_Wish, ...]" = ()
    """Of each, one is enough."""

    def score(self, have: frozenset[str]) -> int | None:
        """How well the tags that somebody has are what is asked for."""
        if not (self.required <= have and self.excluded.isdisjoint(have)):
            return None
        score = self.base
        for tag in self.preferred:
            if tag in have:
                score += _PREFERRED
        for group in self.groups:
            part = group.one(have)
            if not part:
                return None
            score += part
        return score

    def one(self, have: frozenset[str]) -> int:
        """For one of these being there; 0 if none is, or if one is that must not be. A wish counts for more."""
        if not self.excluded.isdisjoint(have):
            return 0
        if any(tag in have for tag in self.preferred):
            return _PREFERRED
        return 0 if self.required.isdisjoint(have) else _REQUIRED


def _taken_apart(wanted: Tags) -> _Wish:
    groups = (_wish([tag for tag in group if tag]) for group in wanted if not isinstance(group, str) and any(group))
    return _wish([tag for tag in wanted if isinstance(tag, str) and tag])._replace(groups=tuple(groups))


def _wish(tags: list[str]) -> _Wish:
    required = [tag for tag in tags if tag[0] not in "+-"]
    return _Wish(
        required=frozenset(required),
        preferred=tuple(tag[1:] for tag in tags if tag[0] == "+"),
        excluded=frozenset(tag[1:] for tag in tags if tag[0] == "-"),
        base=_REQUIRED * len(required),
    )
