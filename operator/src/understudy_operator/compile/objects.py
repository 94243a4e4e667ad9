"""All objects to one configuration and a verdict for each: pure, total, deterministic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from understudy_api.config import Config, Credentials, Names, Target, with_revision
from understudy_operator.compile.backends import Directory
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.names import Claim, settle
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.providers import CompiledProvider, compile_providers
from understudy_operator.compile.reading import read_objects
from understudy_operator.compile.routes import CompiledRoutes, compile_routes
from understudy_operator.compile.verdict import ObjectKey, Verdict


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the objects amount to.

    Attributes:
        config: Stamped with its revision.
        credentials: What `config` refers to, under the same revision.
        verdicts: One for each object, sorted by kind, namespace and name.
    """

    config: Config
    credentials: Credentials
    verdicts: tuple[Verdict, ...]


def compile_objects(inputs: Inputs) -> Compiled:
    """Compile all objects together. Never raises, and the order of the objects changes nothing.

    Only between several objects of the same kind, namespace and name, as files may hold them, the first one counts.
    """
    objects = read_objects(inputs.objects)
    namespaces = Namespaces(inputs.namespaces)
    providers = compile_providers(objects.providers, inputs, namespaces)
    directory = Directory(providers, objects.unreadable, namespaces)
    routes = compile_routes(objects.routes, directory)
    served = [provider for provider in providers.values() if provider.config is not None]
    config = with_revision(
        Config(
            providers={provider.item.key.address: provider.config for provider in served if provider.config},
            targets=_targets(routes),
            names=_names(served, routes),
        )
    )
    verdicts = [
        *(report.verdict(digest="") for report in (*objects.unreadable.values(), *objects.strays)),
        *(provider.verdict() for provider in providers.values()),
        *(route.verdict() for route in routes.routes.values()),
    ]
    return Compiled(
        config=config,
        credentials=Credentials(revision=config.revision, values=_values(served)),
        verdicts=tuple(sorted(verdicts, key=lambda verdict: (verdict.object, verdict.accepted.message))),
    )


def _targets(routes: CompiledRoutes) -> dict[str, Target]:
    return {route.item.key.target: route.target for route in routes.routes.values() if route.target is not None}


def _names(providers: Iterable[CompiledProvider], routes: CompiledRoutes) -> Names:
    exact = {name: keys for name, keys in routes.settled.holders.items() if not name.endswith("*")}
    prefixes = {name[:-1]: keys for name, keys in routes.settled.holders.items() if name.endswith("*")}
    longest_first = sorted(prefixes, key=lambda prefix: (-len(prefix), prefix))
    return Names(
        exact=_targets_by_name(exact),
        prefixes=tuple((prefix, tuple(key.target for key in prefixes[prefix])) for prefix in longest_first),
        providers=_providers_by_name(providers),
    )


def _targets_by_name(holders: Mapping[str, tuple[ObjectKey, ...]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(key.target for key in keys) for name, keys in holders.items()}


def _providers_by_name(providers: Iterable[CompiledProvider]) -> dict[str, tuple[str, ...]]:
    """Each provider holds its own name, which within a namespace nobody else has."""
    claims = (Claim(each.item.key.name, each.item.key, each.item.age, "metadata.name") for each in providers)
    return {name: tuple(key.address for key in keys) for name, keys in settle(claims).holders.items()}


def _values(providers: Iterable[CompiledProvider]) -> dict[str, str]:
    return {
        provider.config.credential.name: provider.credential.value
        for provider in providers
        if provider.config and provider.config.credential and provider.credential
    }
