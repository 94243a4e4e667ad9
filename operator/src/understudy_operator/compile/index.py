"""The index of names: which targets, providers and tools a name leads to, in the order in which to ask them."""

from collections.abc import Iterable, Mapping

from understudy_api.config import Names
from understudy_operator.compile.names import Claim, Settled, settle
from understudy_operator.compile.providers import CompiledProvider
from understudy_operator.compile.verdict import ObjectKey


def index_names(*, providers: Iterable[CompiledProvider], routes: Settled, personas: Settled, tools: Settled) -> Names:
    """All names that lead somewhere."""
    exact = {name: keys for name, keys in routes.holders.items() if not name.endswith("*")}
    prefixes = {name[:-1]: keys for name, keys in routes.holders.items() if name.endswith("*")}
    longest_first = sorted(prefixes, key=lambda prefix: (-len(prefix), prefix))
    return Names(
        exact=_targets(exact),
        prefixes=tuple((prefix, _target_keys(prefixes[prefix])) for prefix in longest_first),
        personas=_targets(personas.holders),
        providers=_providers(providers),
        tools=_addresses(tools.holders),
        routes_by_age=tuple((_name(key, names), key.target) for key, names in routes.names.items()),
    )


def _providers(providers: Iterable[CompiledProvider]) -> dict[str, tuple[str, ...]]:
    """Each provider holds its own name, which nobody else in its namespace has."""
    items = (provider.item for provider in providers if provider.config is not None)
    settled = settle(Claim(item.key.name, item.key, item.age, "metadata.name") for item in items)
    return _addresses(settled.holders)


def _addresses(holders: Mapping[str, tuple[ObjectKey, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(key.address for key in keys) for name, keys in holders.items()}


def _name(key: ObjectKey, names: tuple[str, ...]) -> str:
    """Of the names that a route got: its object's, else the first that is one, else the beginning of many."""
    return key.name if key.name in names else min(names, key=lambda name: (name.endswith("*"), name)).removesuffix("*")


def _targets(holders: Mapping[str, tuple[ObjectKey, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: _target_keys(keys) for name, keys in holders.items()}


def _target_keys(keys: tuple[ObjectKey, ...]) -> tuple[str, ...]:
    return tuple(key.target for key in keys)
