"""The names of a configuration, indexed once so that a request never walks through all of them.

A route's name may be a prefix, and a name that leads nowhere deserves to hear which ones look alike. Both are bounded
here: prefixes are looked up by their lengths, look-alikes only among the neighbors in two sorted lists, one of names
read forwards and one of names read backwards. A typo leaves either the beginning or the end of a name as it was.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from understudy_api.config import Names

PERSONA_PREFIX = "persona/"
"""Names below it are personas and nothing else: no route's prefix reaches them."""
MAX_NEAREST = 3
_LIKENESS = 0.6
"""The share of equal characters, by difflib's measure, from which on two names look alike."""
_MAX_COMPARED = 128
"""Characters of a name that are compared: likeness is quadratic in them."""
_NEIGHBORS = 10
"""Names compared in each direction of each sorted list: 40 in all, about half a millisecond."""


@dataclass(frozen=True, slots=True, eq=False)
class NameIndex:
    """What each name may lead to, candidates in the order in which to ask."""

    exact: Mapping[str, tuple[str, ...]]
    """Target keys."""
    prefixes: Mapping[str, tuple[str, ...]]
    """Target keys."""
    prefix_lengths: tuple[int, ...]
    """Descending."""
    personas: Mapping[str, tuple[str, ...]]
    """Target keys by name or alias, with `-` for `_`."""
    providers: Mapping[str, tuple[str, ...]]
    """Provider keys."""
    tools: Mapping[str, tuple[str, ...]]
    """Tool keys by function name, with `-` for `_`."""
    vendors: Mapping[str, tuple[tuple[str, str], ...]]
    """Provider keys and models there by `VENDOR/MODEL`."""
    forwards: tuple[str, ...] = field(repr=False)
    """Every full name that could be sent, sorted."""
    backwards: tuple[str, ...] = field(repr=False)
    """The same, each from its end to its beginning, sorted."""

    def prefixed(self, name: str) -> Iterator[tuple[str, ...]]:
        """Candidates of each prefix of `name`, the longest first."""
        for length in self.prefix_lengths:
            if length <= len(name) and (keys := self.prefixes.get(name[:length])) is not None:
                yield keys


def index_names(
    names: Names,
    *,
    models: Mapping[str, Iterable[str]],
    vendors: Mapping[str, tuple[tuple[str, str], ...]],
) -> NameIndex:
    """Index `names`; `models` are the models of each provider key, `vendors` what each `VENDOR/MODEL` may mean."""
    spelled = set(names.exact)
    spelled.update(f"{PERSONA_PREFIX}{name}" for name in names.personas)
    for name, keys in names.providers.items():
        spelled.update(f"{name}/{model}" for key in keys for model in models.get(key, ()))
    prefixes = dict(names.prefixes)
    return NameIndex(
        exact=names.exact,
        prefixes=prefixes,
        prefix_lengths=tuple(sorted({len(prefix) for prefix in prefixes}, reverse=True)),
        personas=names.personas,
        providers=names.providers,
        tools=names.tools,
        vendors=vendors,
        forwards=tuple(sorted(spelled)),
        backwards=tuple(sorted(name[::-1] for name in spelled)),
    )


def persona_key(name: str) -> str:
    """A persona's name as the index spells it: `-` and `_` are the same."""
    return name.replace("_", "-")


def provider_key(name: str) -> str:
    """A provider's name as the index spells it: no object's has a `_`, and apps that were here before may write one."""
    return name.replace("_", "-")


def tool_key(name: str) -> str:
    """A tool's function name as the index spells it."""
    return name.replace("_", "-")


def nearest(index: NameIndex, asked: str, *, visible: Callable[[str], bool]) -> tuple[str, ...]:
    """Up to `MAX_NEAREST` visible names that look like `asked`, the best first."""
    cut = asked[:_MAX_COMPARED]
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(cut)
    scored: list[tuple[float, str]] = []
    for name in neighbors(index, cut):
        matcher.set_seq1(name[:_MAX_COMPARED])
        if (
            matcher.real_quick_ratio() >= _LIKENESS
            and matcher.quick_ratio() >= _LIKENESS
            and (ratio := matcher.ratio()) >= _LIKENESS
            and visible(name)
        ):
            scored.append((-ratio, name))
    return tuple(name for _, name in sorted(scored)[:MAX_NEAREST])


def neighbors(index: NameIndex, asked: str) -> set[str]:
    """The names that share a beginning or an end with `asked`, and a few beside them."""
    around = set(_around(index.forwards, asked))
    around.update(name[::-1] for name in _around(index.backwards, asked[::-1]))
    return around


def _around(names: tuple[str, ...], asked: str) -> tuple[str, ...]:
    at = bisect_left(names, asked)
    return names[max(0, at - _NEIGHBORS) : at + _NEIGHBORS]
