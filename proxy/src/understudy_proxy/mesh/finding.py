"""Which of the agents that a registry lists answer for a provider, and what is said where none does."""

from collections.abc import Iterable
from dataclasses import dataclass

from yarl import URL

from understudy_api.config import MeshSource
from understudy_proxy.addresses import holds_secrets
from understudy_proxy.mesh.agents import ANY_HOST, GATEWAY_TAG, STREAM_TAG
from understudy_proxy.mesh.listing import ListedAgent, ListedFunction
from understudy_proxy.mesh.matching import scored
from understudy_proxy.mesh.versions import newness, satisfies

_MOST_NAMED = 6
"""Agents that a message names."""
_MOST_TAGS = 6


@dataclass(frozen=True, slots=True)
class Found:
    """An agent that answers."""

    id: str
    url: URL
    whole: str
    """Its function that answers."""
    streamed: str | None
    """The one that answers as a stream."""
    rank: int
    """Those of the lowest are asked first: they have most of what is preferred, or the newest version."""


@dataclass(frozen=True, slots=True)
class _Match:
    function: ListedFunction
    score: int

    @property
    def worth(self) -> tuple[int, tuple[bool, object]]:
        return self.score, newness(self.function.version)


def find(agents: Iterable[ListedAgent], wanted: MeshSource) -> tuple[Found, ...]:
    """The agents that have what is wanted, the best first; at the same place only one."""
    matched: list[tuple[_Match, Found]] = []
    for agent in agents:
        url = callable_at(agent.endpoint)
        matches = _matches(agent, wanted) if url is not None else []
        if url is None or not matches:
            continue
        whole = next((match for match in matches if STREAM_TAG not in match.function.tags), None)
        streamed = next((match for match in matches if STREAM_TAG in match.function.tags), None)
        best = whole or matches[0]
        name = streamed.function.name if streamed else None
        matched.append((best, Found(agent.id, url, best.function.name, name, rank=0)))
    matched.sort(key=lambda pair: pair[1].id)
    matched.sort(key=lambda pair: pair[0].worth, reverse=True)
    return tuple(_ranked(matched))


def _matches(agent: ListedAgent, wanted: MeshSource) -> list[_Match]:
    found = [
        _Match(function, score)
        for function in agent.functions
        if function.capability == wanted.capability
        and satisfies(function.version, wanted.version)
        and (GATEWAY_TAG not in function.tags or _takes_gateways(wanted))
        and (score := scored(function.tags, wanted.tags)) is not None
    ]
    found.sort(key=lambda match: match.worth, reverse=True)
    return found


def _takes_gateways(wanted: MeshSource) -> bool:
    """Whether a gateway may answer: where it is asked for, and never of those who register here, as this one does."""
    return not wanted.own and not {GATEWAY_TAG, f"+{GATEWAY_TAG}"}.isdisjoint(wanted.tags)


def _ranked(matched: list[tuple[_Match, Found]]) -> list[Found]:
    ranked: list[Found] = []
    places: set[URL] = set()
    rank, before = 0, None
    for match, found in matched:
        if before is not None and match.worth != before:
            rank += 1
        before = match.worth
        if found.url not in places:
            places.add(found.url)
            ranked.append(Found(found.id, found.url, found.whole, found.streamed, rank))
    return ranked


def callable_at(endpoint: str) -> URL | None:
    """The URL of an agent that can be called over a network; None for others.

    A registry lists whatever was told to it, by anybody: an address at which clouds keep a machine's secrets is none of
    an agent.
    """
    try:
        url = URL(endpoint)
    except ValueError:
        return None
    if url.scheme not in {"http", "https"} or not url.host or url.port is None or url.user or url.raw_path != "/":
        return None
    if url.host == ANY_HOST:
        return url.with_host("localhost")
    return None if holds_secrets(url.host) else url


def absence(agents: Iterable[ListedAgent], wanted: MeshSource) -> str:
    """What was looked for and what there was, as a sentence about `it`, the provider."""
    offering = [(agent, offers) for agent in agents if (offers := _offers(agent))]
    there = "; ".join(f"{agent.id} ({', '.join(offers)})" for agent, offers in offering[:_MOST_NAMED])
    more = f"; and {len(offering) - _MOST_NAMED} more" if len(offering) > _MOST_NAMED else ""
    what = f"there are {there}{more}" if there else "there are none at all"
    return f"no agent of its mesh offers {described(wanted)}: {what}"


def described(wanted: MeshSource) -> str:
    """What is looked for, in words."""
    tags = f" with {', '.join(wanted.tags)}" if wanted.tags else ""
    version = f" in version {wanted.version}" if wanted.version else ""
    return f"{wanted.capability}{tags}{version}"


def _offers(agent: ListedAgent) -> list[str]:
    """What an agent offers to others, in words; nothing of a gateway, nor of what is there for a framework's sake."""
    told = (each for each in agent.functions if GATEWAY_TAG not in each.tags and not each.capability.startswith("__"))
    return list(dict.fromkeys(map(_offer, told)))[:_MOST_NAMED]


def _offer(function: ListedFunction) -> str:
    tags = [tag for tag in function.tags if tag != STREAM_TAG][:_MOST_TAGS]
    with_tags = f" with {' and '.join(tags)}" if tags else ""
    return f"{function.capability} {function.version}{with_tags}"
