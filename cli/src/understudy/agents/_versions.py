"""Versions of what agents offer, and the constraints that are put on them. Pure.

Constraints are what a mesh writes: `>=1.0`, `^1.2`, `~1.2`, `1.x`, `>=1.0, <2`, alternatives with `||`. Numbers that
are left out may be any, so that `1.2` is each 1.2.x, and no constraint at all is any version. What comes before a
release (`2.0.0-rc.1`) is only taken by a constraint that names such a version itself, and is not told from it.
"""

import re
from dataclasses import dataclass

Numbers = tuple[int, int, int]

_VERSION = re.compile(r"v?(\d{1,9}|[x*])(?:\.(\d{1,9}|[x*]))?(?:\.(\d{1,9}|[x*]))?(-[0-9a-z.-]+)?(?:\+[0-9a-z.-]+)?")
_TERM = re.compile(r"(\^|~|>=|<=|!=|>|<|=)?\s*([^\s,|<>=^~!]+)")


@dataclass(frozen=True, slots=True)
class _Read:
    """A version, or what a constraint says of one; `told` is how many numbers it names."""

    numbers: Numbers
    told: int
    before_release: bool

    def above(self, told: int) -> Numbers:
        """The first version that differs in one of so many numbers."""
        major, minor, patch = self.numbers
        return ((major + 1, 0, 0), (major, minor + 1, 0), (major, minor, patch + 1))[told - 1]


def version(text: str) -> Numbers:
    """The three numbers of a version; what is missing, or cannot be read, is 0."""
    read = _read(text)
    return read.numbers if read else (0, 0, 0)


def is_version(text: str) -> bool:
    """Whether it is a version, without any constraint."""
    read = _read(text)
    return read is not None and read.told > 0 and not re.search(r"[x*]", text.partition("-")[0])


def satisfies(text: str, constraint: str) -> bool:
    """Whether a version is what a constraint wants."""
    if not constraint.strip():
        return True
    known = _read(text)
    return known is not None and any(_fulfils_all(known, each) for each in constraint.lower().split("||"))


def check_constraint(constraint: str) -> None:
    """See that a constraint is one.

    Raises:
        TypeError: it is none.
    """
    rest = _TERM.sub("", constraint.replace(",", " ").replace("||", " ")).strip()
    if rest or not all(_read(term) for _, term in _TERM.findall(constraint)):
        raise TypeError(f"the version {constraint!r} is no constraint, such as '>=1.0, <2' or '^1.2'")


def _read(text: str) -> _Read | None:
    found = _VERSION.fullmatch(text.strip().lower())
    if found is None:
        return None
    parts = found.groups()[:3]
    told = next((index for index, part in enumerate(parts) if part is None or not part.isdecimal()), 3)
    major, minor, patch = (int(part) if part and index < told else 0 for index, part in enumerate(parts))
    return _Read((major, minor, patch), told, found[4] is not None)


def _fulfils_all(known: _Read, alternative: str) -> bool:
    terms = _TERM.findall(alternative)
    return bool(terms) and all(_fulfils(known, operator, _read(wanted)) for operator, wanted in terms)


def _fulfils(known: _Read, operator: str, wanted: _Read | None) -> bool:
    if wanted is None or (known.before_release and not wanted.before_release):
        return False
    if wanted.told == 0:
        return operator not in {"<", ">", "!="}
    lowest, above = wanted.numbers, wanted.above(wanted.told)
    match operator:
        case ">=":
            return known.numbers >= lowest
        case ">":
            return known.numbers >= above
        case "<=":
            return known.numbers < above
        case "<":
            return known.numbers < lowest
        case "!=":
            return not lowest <= known.numbers < above
        case "~":
            above = wanted.above(min(wanted.told, 2))
        case "^":
            above = wanted.above(_kept(wanted))
    return lowest <= known.numbers < above


def _kept(wanted: _Read) -> int:
    """How many numbers stay as they are under `^`: up to the first that is not 0."""
    first = next((index for index, number in enumerate(wanted.numbers, start=1) if number), 3)
    return min(first, wanted.told)
