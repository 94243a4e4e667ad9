"""Who is the right one: what agents offer against what is wanted. Pure, and the same for a registry and its reader."""

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


def offers(agents: Iterable[Registration]) -> Iterable[Offer]:
    """All that `agents` have, in their order."""
    return (Offer(agent, tool) for agent in agents for tool in agent.tools)


def ranked(agents: Iterable[Registration], wanted: Wanted, *, providers: bool = True) -> list[Match]:
    """Who has what is `wanted`, the best first.

    Args:
        agents: Those who are well, in the order in which they came.
        wanted: What is looked for.
        providers: Only tools that tell what they take: no other can answer for a model.
    """
    found = [
        Match(offer, score)
        for offer in offers(agents)
        if (not wanted.capability or offer.tool.capability == wanted.capability)
        and (offer.tool.schema is not None or not providers)
        and satisfies(offer.tool.version, wanted.version)
        and (score := scored(offer.tool.tags, wanted.tags)) is not None
    ]
    if wanted.tags:
        found.sort(key=lambda match: match.offer.agent.id)
        found.sort(key=lambda match: (match.score, newness(match.offer.tool.version)), reverse=True)
    return found


def scored(tags: Iterable[str], wanted: Tags) -> int | None:
    """How well `tags` are what is `wanted`; None if they are not."""
    have = frozenset(tags)
    score = 0
    for tag in wanted:
        part = _one(have, tag) if isinstance(tag, str) else _any(have, tag)
        if part is None:
            return None
        score += part
    return score


def _one(have: frozenset[str], tag: str) -> int | None:
    if tag.startswith("-"):
        return None if tag[1:] in have else 0
    if tag.startswith("+"):
        return _PREFERRED if tag[1:] in have else 0
    if not tag:
        return 0
    return _REQUIRED if tag in have else None


def _any(have: frozenset[str], tags: tuple[str, ...]) -> int | None:
    """One of `tags` is enough, unless one is there that must not be; a wish counts for more than a demand."""
    told = [tag for tag in tags if tag]
    if not told:
        return 0
    if any(tag.startswith("-") and tag[1:] in have for tag in told):
        return None
    return max((_one(have, tag) or 0 for tag in told if tag[0] != "-"), default=0) or None
