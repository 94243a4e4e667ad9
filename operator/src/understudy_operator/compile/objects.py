"""All objects to one configuration and a verdict for each: pure, total, deterministic."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy_api.config import Config, Credentials, Target, with_revision
from understudy_operator.compile.backends import Directory
from understudy_operator.compile.discovered import Inquiry
from understudy_operator.compile.index import index_names
from understudy_operator.compile.inputs import Inputs, NamespacedName
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.personas import compile_personas
from understudy_operator.compile.providers import CompiledProvider, compile_providers
from understudy_operator.compile.reachable import Reachable
from understudy_operator.compile.reading import Objects, read_objects
from understudy_operator.compile.routes import compile_routes
from understudy_operator.compile.targets import CompiledTargets
from understudy_operator.compile.toolbox import Toolbox
from understudy_operator.compile.tools import CompiledTool, CompiledTools, compile_tools
from understudy_operator.compile.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the objects amount to.

    Attributes:
        config: Stamped with its revision.
        credentials: What `config` refers to, under the same revision.
        verdicts: One for each object, sorted by kind, namespace and name.
        inquiries: The servers to ask for their models, sorted by provider.
    """

    config: Config
    credentials: Credentials
    verdicts: tuple[Verdict, ...]
    inquiries: tuple[Inquiry, ...] = ()


@dataclass(frozen=True, slots=True)
class _Kinds:
    """The compiled objects of each kind."""

    providers: Mapping[NamespacedName, CompiledProvider]
    tools: CompiledTools
    routes: CompiledTargets
    personas: CompiledTargets


def compile_objects(inputs: Inputs) -> Compiled:
    """Compile all objects together. Never raises, and the order of the objects changes nothing.

    Only between several objects of the same kind, namespace and name, as files may hold them, the first one counts.
    """
    objects = read_objects(inputs.objects)
    kinds = _compile_kinds(objects, inputs)
    config = with_revision(
        Config(
            providers={each.item.key.address: each.config for each in kinds.providers.values() if each.config},
            targets=_targets(kinds.routes, kinds.personas),
            tools={each.item.key.address: each.config for each in kinds.tools.by_name.values() if each.config},
            names=index_names(
                providers=kinds.providers.values(),
                routes=kinds.routes.settled,
                personas=kinds.personas.settled,
                tools=kinds.tools.settled,
            ),
        )
    )
    credentials = Credentials(revision=config.revision, values=_values(kinds))
    inquiries = tuple(each.inquiry for each in kinds.providers.values() if each.inquiry)
    return Compiled(config, credentials, _verdicts(objects, kinds), inquiries)


def _compile_kinds(objects: Objects, inputs: Inputs) -> _Kinds:
    """One kind after the other, each looking only at those before it."""
    namespaces = Namespaces(inputs.namespaces)
    providers = compile_providers(objects.providers, inputs, namespaces)
    tools = compile_tools(objects.tools, inputs, namespaces)
    directory = Directory(providers, objects.unreadable, namespaces)
    routes = compile_routes(objects.routes, directory)
    toolbox = Toolbox(tools.by_name, objects.unreadable, namespaces)
    reachable = Reachable.among(objects, inputs, directory=directory, routes=routes, toolbox=toolbox)
    return _Kinds(providers, tools, routes, compile_personas(objects.personas, reachable))


def _verdicts(objects: Objects, kinds: _Kinds) -> tuple[Verdict, ...]:
    verdicts = (
        *(provider.verdict() for provider in kinds.providers.values()),
        *(tool.verdict() for tool in kinds.tools.by_name.values()),
        *(target.verdict() for targets in (kinds.routes, kinds.personas) for target in targets.by_name.values()),
        *(report.verdict(digest="") for report in (*objects.unreadable.values(), *objects.strays)),
    )
    return tuple(sorted(verdicts, key=lambda verdict: (verdict.object, verdict.accepted.message)))


def _targets(*kinds: CompiledTargets) -> dict[str, Target]:
    return {
        each.key.target: each.target
        for targets in kinds
        for each in targets.by_name.values()
        if each.target is not None
    }


def _values(kinds: _Kinds) -> dict[str, str]:
    served: tuple[CompiledProvider | CompiledTool, ...] = (
        *(provider for provider in kinds.providers.values() if provider.config),
        *(tool for tool in kinds.tools.by_name.values() if tool.config),
    )
    return {name: value for each in served for name, value in each.secrets.items()}
