"""Versions, and what is asked of them, as agents of a mesh write it: `>=1.0, <2 || ^3.1`.

The rules are those of Masterminds/semver 3, which registries of the field use: no kept Python library has all of them.
https://github.com/Masterminds/semver/blob/v3.4.0/README.md
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_VERSION = re.compile(
    r"v?(?P<major>\d{1,9})(\.(?P<minor>\d{1,9}))?(\.(?P<patch>\d{1,9}))?"
    r"(-(?P<pre>[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+[0-9A-Za-z.-]+)?"
)
_TERM = re.compile(
    r"\s*(?P<operator>=>|>=|=<|<=|!=|~>|[=<>~^]?)\s*v?"
    r"(?P<numbers>(\d{1,9}|[xX*])(\.(\d{1,9}|[xX*])){0,2})"
    r"(-(?P<pre>[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+[0-9A-Za-z.-]+)?\s*(,(?=\s*\S)|(?=\s)|$)"
)
_RANGE = re.compile(r"(\S+)\s+-\s+(\S+)")
_MAX_CONSTRAINT = 256
_WILD = frozenset("xX*")

Numbers = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version; missing numbers are zero, build metadata does not count."""

    numbers: Numbers
    pre: tuple[str, ...] = ()

    @property
    def precedence(self) -> tuple[Numbers, bool, tuple[tuple[bool, int, str], ...]]:
        """What versions are sorted by."""
        parts = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in self.pre)
        return self.numbers, not self.pre, parts


@dataclass(frozen=True, slots=True)
class _Term:
    operator: str
    version: Version
    told: int
    """How many numbers were told, 0 to 3; the others may be any."""

    def holds(self, version: Version) -> bool:
        # Whoever wants a version before its release says so.
        if version.pre and not self.version.pre:
            return False
        return _OPERATORS[self.operator](self, version)

    def above(self, at: int) -> Numbers:
        """The first numbers that differ at `at`."""
        kept = [*self.version.numbers[:at], self.version.numbers[at] + 1, 0, 0]
        return kept[0], kept[1], kept[2]


@lru_cache(maxsize=1024)
def read_version(text: str) -> Version | None:
    """The version that `text` tells; None for anything else."""
    found = _VERSION.fullmatch(text) if len(text) <= _MAX_CONSTRAINT else None
    if found is None:
        return None
    numbers = (int(found["major"]), int(found["minor"] or 0), int(found["patch"] or 0))
    return Version(numbers, tuple((found["pre"] or "").split(".")) if found["pre"] else ())


@lru_cache(maxsize=4096)
def satisfies(version: str, constraint: str) -> bool:
    """Whether `version` is what `constraint` asks for. What cannot be read is compared as it is written."""
    if not constraint:
        return True
    read, wanted = read_version(version), _constraint(constraint)
    if read is None or wanted is None:
        return version == constraint
    return any(all(term.holds(read) for term in terms) for terms in wanted)


@lru_cache(maxsize=4096)
def newness(version: str) -> tuple[bool, Any]:
    """What versions are sorted by, the newest last; what is no version is older than any."""
    read = read_version(version)
    return (True, read.precedence) if read is not None else (False, version)


@lru_cache(maxsize=1024)
def _constraint(text: str) -> tuple[tuple[_Term, ...], ...] | None:
    if len(text) > _MAX_CONSTRAINT:
        return None
    groups = [_terms(group) for group in text.split("||")]
    return tuple(terms for terms in groups if terms is not None) if all(groups) else None


def _terms(group: str) -> tuple[_Term, ...] | None:
    text = _RANGE.sub(r">=\1 <=\2", group).strip()
    terms: list[_Term] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None or found.end() == at:
            return None
        terms.append(_term(found))
        at = found.end()
    return tuple(terms)


def _term(found: re.Match[str]) -> _Term:
    numbers: list[int] = []
    for number in found["numbers"].split("."):
        if number in _WILD:
            break
        numbers.append(int(number))
    told = len(numbers)
    padded = [*numbers, 0, 0, 0]
    pre = tuple(found["pre"].split(".")) if found["pre"] else ()
    return _Term(found["operator"], Version((padded[0], padded[1], padded[2]), pre), told)


def _equal(term: _Term, version: Version) -> bool:
    if term.told < 3:
        return version.numbers[: term.told] == term.version.numbers[: term.told]
    return version == term.version


def _unequal(term: _Term, version: Version) -> bool:
    return not _equal(term, version)


def _less(term: _Term, version: Version) -> bool:
    return version.precedence < term.version.precedence


def _at_least(term: _Term, version: Version) -> bool:
    return not _less(term, version)


def _greater(term: _Term, version: Version) -> bool:
    """`>1.2` begins at 1.3: all of 1.2 is meant."""
    if term.told < 3:
        return version.numbers[: term.told] > term.version.numbers[: term.told]
    return version.precedence > term.version.precedence


def _at_most(term: _Term, version: Version) -> bool:
    return not _greater(term, version)


def _tilde(term: _Term, version: Version) -> bool:
    """`~1.2.3` is any patch from there on, `~1` any minor."""
    if term.told == 0:
        return True
    return _at_least(term, version) and version.numbers < term.above(0 if term.told == 1 else 1)


def _caret(term: _Term, version: Version) -> bool:
    """`^1.2.3` is anything compatible: the leftmost number that is not zero stays."""
    if term.told == 0:
        return True
    stays = next((at for at in range(term.told) if term.version.numbers[at]), term.told - 1)
    return _at_least(term, version) and version.numbers < term.above(stays)


_OPERATORS: dict[str, Callable[[_Term, Version], bool]] = {
    "": _equal,
    "=": _equal,
    "!=": _unequal,
    ">": _greater,
    ">=": _at_least,
    "=>": _at_least,
    "<": _less,
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}
