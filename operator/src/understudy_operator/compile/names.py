"""Who holds a name: within a namespace the oldest claimant, across namespaces everybody, oldest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from understudy_operator.compile.verdict import ObjectKey

Age = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """An object wants to be called by a name; `field` is where it says so."""

    name: str
    holder: ObjectKey
    age: Age
    field: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A claim that another one of the same namespace has beaten."""

    claim: Claim
    winner: Claim


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of all claims.

    Attributes:
        holders: By name, the holders of all namespaces, oldest first.
        names: By holder, the oldest first, the names it got, sorted.
        lost: By loser, in the order of its claims.
    """

    holders: Mapping[str, tuple[ObjectKey, ...]]
    names: Mapping[ObjectKey, tuple[str, ...]]
    lost: Mapping[ObjectKey, tuple[Lost, ...]]


def settle(claims: Iterable[Claim]) -> Settled:
    """Give each name to those that may have it."""
    winners: dict[tuple[str, str], Claim] = {}
    holders: dict[str, list[ObjectKey]] = {}
    names: dict[ObjectKey, list[str]] = {}
    lost: dict[ObjectKey, list[Lost]] = {}
    for claim in sorted(claims, key=lambda claim: claim.age):
        winner = winners.setdefault((claim.holder.namespace, claim.name), claim)
        if winner.holder != claim.holder:
            lost.setdefault(claim.holder, []).append(Lost(claim, winner))
        elif claim.name not in names.setdefault(claim.holder, []):
            names[claim.holder].append(claim.name)
            holders.setdefault(claim.name, []).append(claim.holder)
    return Settled(
        holders={name: tuple(keys) for name, keys in sorted(holders.items())},
        names={holder: tuple(sorted(each)) for holder, each in names.items()},
        lost={holder: tuple(each) for holder, each in lost.items()},
    )
