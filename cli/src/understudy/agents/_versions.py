"""Versions of what agents offer, and the constraints that are put on them. Pure.

Constraints are what a mesh writes: `>=1.0`, `^1.2`, `~1.2`, `1.x`, `>=1.0, <2`, alternatives with `||`. A bare version
is exact, and none at all is any.
"""

import re

Version = tuple[int, int, int]

_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}|[x*]))?(?:\.(\d{1,9}|[x*]))?(?:[-+].*)?")
_TERM = re.compile(r"(\^|~|>=|<=|!=|>|<|=)?\s*([^\s,|<>=^~!]+)")
_ANY = frozenset({"", "*", "x"})


def version(text: str) -> Version:
    """The three numbers of a version; what is missing, or cannot be read, is 0."""
    found = _VERSION.fullmatch(text.strip().lower())
    if found is None:
        return (0, 0, 0)
    major, minor, patch = (int(part) if part and part.isdecimal() else 0 for part in found.groups())
    return (major, minor, patch)


def is_version(text: str) -> bool:
    """Whether it is a version, without any constraint."""
    return bool(re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,2}([-+][0-9A-Za-z.+-]+)?", text))


def satisfies(text: str, constraint: str) -> bool:
    """Whether a version is what a constraint wants."""
    if constraint.strip().lower() in _ANY:
        return True
    known = version(text)
    return any(_fulfils_all(known, alternative) for alternative in constraint.split("||"))


def check_constraint(constraint: str) -> None:
    """See that a constraint is one.

    Raises:
        TypeError: it is none.
    """
    rest = _TERM.sub("", constraint.replace(",", " ").replace("||", " ")).strip()
    terms = [term for _, term in _TERM.findall(constraint)]
    if rest or not all(term.lower() in _ANY or _VERSION.fullmatch(term.lower()) for term in terms):
        raise TypeError(f"the version {constraint!r} is no constraint, such as '>=1.0, <2' or '^1.2'")


def _fulfils_all(known: Version, alternative: str) -> bool:
    terms = _TERM.findall(alternative.lower())
    return bool(terms) and all(_fulfils(known, operator, wanted) for operator, wanted in terms)


def _fulfils(known: Version, operator: str, wanted: str) -> bool:
    if wanted in _ANY:
        return True
    lowest = version(wanted)
    above = _above(wanted, operator)
    match operator:
        case ">=":
            return known >= lowest
        case ">":
            return known > lowest
        case "<=":
            return known <= lowest
        case "<":
            return known < lowest
        case "!=":
            return known != lowest
    return lowest <= known < above


def _above(wanted: str, operator: str) -> Version:
    """The first version that is too high for `^`, `~`, a pattern such as `1.x`, or a version itself."""
    major, minor, patch = version(wanted)
    parts = [part for part in wanted.split(".") if part not in _ANY]
    if operator == "^":
        if major or len(parts) == 1:
            return (major + 1, 0, 0)
        return (0, minor + 1, 0) if minor or len(parts) == 2 else (0, 0, patch + 1)
    if len(parts) == 1 and (operator == "~" or "." in wanted):
        return (major + 1, 0, 0)
    if operator == "~" or (len(parts) == 2 and wanted.count(".") == 2):
        return (major, minor + 1, 0)
    return (major, minor, patch + 1)
