"""All objects to one configuration and a verdict for each: pure, total, deterministic."""

from collections.abc import Iterable
from dataclasses import dataclass

from understudy_api.config import Config, Credentials, Target, with_revision
from understudy_operator.compile.backends import Directory
from understudy_operator.compile.index import index_names
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.lookup import Lookup
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.personas import compile_personas
from understudy_operator.compile.providers import CompiledProvider, compile_providers
from understudy_operator.compile.reachable import Reachable
from understudy_operator.compile.reading import read_objects
from understudy_operator.compile.routes import compile_routes
from understudy_operator.compile.targets import CompiledTargets
from understudy_operator.compile.toolbox import Toolbox
from understudy_operator.compile.tools import compile_tools
from understudy_operator.compile.verdict import Reason, Verdict


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
    tools = compile_tools(objects.tools)
    directory = Directory(providers, objects.unreadable, namespaces)
    routes = compile_routes(objects.routes, directory)
    personas = compile_personas(
        objects.personas,
        Reachable(
            inputs=inputs,
            personas=Lookup(
                "Persona",
                objects.personas,
                objects.unreadable,
                not_found=Reason.PERSONA_NOT_FOUND,
                not_served=Reason.PERSONA_NOT_SERVED,
            ),
            directory=directory,
            routes=Lookup(
                "LLMRoute",
                routes.by_name,
                objects.unreadable,
                not_found=Reason.ROUTE_NOT_FOUND,
                not_served=Reason.ROUTE_NOT_SERVED,
            ),
            toolbox=Toolbox(tools, objects.unreadable, namespaces),
        ),
    )
    served = {each.item.key: each.config for each in providers.values() if each.config is not None}
    config = with_revision(
        Config(
            providers={key.address: provider for key, provider in served.items()},
            targets=_targets(routes, personas),
            names=index_names(providers=providers.values(), routes=routes.settled, personas=personas.settled),
        )
    )
    verdicts = (
        *(provider.verdict() for provider in providers.values()),
        *(tool.verdict() for tool in tools.values()),
        *(target.verdict() for kind in (routes, personas) for target in kind.by_name.values()),
        *(report.verdict(digest="") for report in (*objects.unreadable.values(), *objects.strays)),
    )
    return Compiled(
        config=config,
        credentials=Credentials(revision=config.revision, values=_values(providers.values())),
        verdicts=tuple(sorted(verdicts, key=lambda verdict: (verdict.object, verdict.accepted.message))),
    )


def _targets(*kinds: CompiledTargets) -> dict[str, Target]:
    return {
        each.key.target: each.target
        for targets in kinds
        for each in targets.by_name.values()
        if each.target is not None
    }


def _values(providers: Iterable[CompiledProvider]) -> dict[str, str]:
    return {
        provider.config.credential.name: provider.credential.value
        for provider in providers
        if provider.config and provider.config.credential and provider.credential
    }
