"""Personas: the roles that apps cast, which are routes with a prompt."""

from collections.abc import Iterable, Mapping

from understudy_api.config import Prompt, PromptPosition, SessionPolicy, Target, TargetKind, digest
from understudy_api.v1alpha1 import Persona
from understudy_api.v1alpha1.persona import PersonaSession, PersonaTools
from understudy_operator.compile.durations import to_seconds
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.names import Claim, settle
from understudy_operator.compile.parameters import compile_parameters
from understudy_operator.compile.pending import warn_of_pending
from understudy_operator.compile.persona_rules import compile_persona_rules, requirements_of
from understudy_operator.compile.prompts import Unwritable, Written, write_prompt
from understudy_operator.compile.reachable import Reachable
from understudy_operator.compile.reading import Item
from understudy_operator.compile.targets import (
    DEFAULT_ACCESS,
    CompiledTarget,
    CompiledTargets,
    refuse_rbac,
    report_lost_names,
    report_nothing_left,
)
from understudy_operator.compile.toolbox import executed
from understudy_operator.compile.verdict import Reason

_NO_TOOLS = PersonaTools()


def compile_personas(items: Mapping[NamespacedName, Item[Persona]], reachable: Reachable) -> CompiledTargets:
    """All personas: which can be accepted, then who may have which name, then who plays them."""
    systems = {item.key: _system(item, reachable) for item in items.values()}
    accepted = [item for item in items.values() if item.report.accepted]
    settled = settle(claim for item in accepted for claim in _claims(item))
    for item in accepted:
        report_lost_names(item.report, settled)
    personas = {
        at: _compile_persona(item, reachable, system=systems[item.key], names=settled.names.get(item.key, ()))
        for at, item in items.items()
    }
    return CompiledTargets(personas, settled)


def _system(item: Item[Persona], reachable: Reachable) -> Written | Unwritable:
    """The system prompt; with it, everything is known that can make a persona unacceptable by itself."""
    report = item.report
    warn_of_pending(report, item.resource)
    refuse_rbac(report, item.resource.spec.access)
    system = write_prompt(reachable.inputs, reachable.personas, item)
    if isinstance(system, Unwritable):
        tell = report.refuse if system.missing.reason is Reason.INVALID else report.error
        tell(system.missing.reason, system.field, report.described(system.missing))
    return system


def _claims(item: Item[Persona]) -> Iterable[Claim]:
    yield Claim(item.key.name, item.key, item.age, "metadata.name")
    for index, alias in enumerate(item.resource.spec.aliases):
        yield Claim(_in_index(alias), item.key, item.age, f"spec.aliases[{index}]")


def _in_index(alias: str) -> str:
    """In persona names `-` and `_` are the same."""
    return alias.replace("_", "-")


def _compile_persona(
    item: Item[Persona], reachable: Reachable, *, system: Written | Unwritable, names: tuple[str, ...]
) -> CompiledTarget:
    spec, report, namespace = item.resource.spec, item.report, item.key.namespace
    access, wanted = spec.access or DEFAULT_ACCESS, spec.tools or _NO_TOOLS
    defaults, overrides = compile_parameters(report, spec.parameters)
    tools = reachable.toolbox.declared(report, wanted, namespace=namespace)
    requirements = requirements_of(spec, declares_tools=bool(tools))
    compiled = compile_persona_rules(report, spec, requirements, reachable)
    if not report.accepted:
        return CompiledTarget(item.key, report, access)
    if isinstance(system, Unwritable):
        report_nothing_left(report, system.field)
    written = Written(None) if isinstance(system, Unwritable) else system
    target = Target(
        kind=TargetKind.PERSONA,
        namespace=namespace,
        name=item.key.name,
        rules=() if isinstance(system, Unwritable) else compiled.rules,  # nobody plays the role without its text
        requires=requirements.requires,
        retry=compiled.retry,
        request_timeout_seconds=compiled.request_timeout_seconds,
        session=_session(spec.session),
        prompt=_with_revision(
            Prompt(
                system=written.text,
                template=written.template,
                position=PromptPosition(spec.system.position) if spec.system else PromptPosition.BEFORE,
                defaults=defaults,
                overrides=overrides,
                tools=tuple(tool.declaration for tool in tools),
                executes=executed(report, wanted, tools),
                max_iterations=wanted.max_iterations,
                tools_timeout_seconds=to_seconds(wanted.timeout),
            )
        ),
        visible_to=reachable.directory.namespaces.visible_to(access, of=namespace),
        description=spec.description,
        aliases=tuple(alias for alias in spec.aliases if _in_index(alias) in names),
    )
    return CompiledTarget(item.key, report, access, target, names)


def _session(session: PersonaSession | None) -> SessionPolicy | None:
    if session is None:
        return None
    return SessionPolicy(ttl_seconds=to_seconds(session.ttl), max_messages=session.max_messages)


def _with_revision(prompt: Prompt) -> Prompt:
    return prompt.model_copy(update={"revision": digest(prompt)})
