"""LLMTools: functions that a model may call, and who runs them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy_api.config import Tool, digest
from understudy_api.v1alpha1 import LLMTool
from understudy_api.v1alpha1.meta import AllowedNamespaces
from understudy_operator.compile.argument_schemas import compile_schema
from understudy_operator.compile.handlers import CompiledHandler, compile_handler
from understudy_operator.compile.inputs import Inputs, NamespacedName
from understudy_operator.compile.names import Claim, Settled, settle
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.reading import Item
from understudy_operator.compile.verdict import Reason, Verdict

_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DEFAULT_OPENNESS = AllowedNamespaces()


@dataclass(frozen=True, slots=True)
class CompiledTool:
    """A readable LLMTool, and its part of the configuration unless it is not accepted."""

    item: Item[LLMTool]
    config: Tool | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secret values by the names that `config` has for them."""

    @property
    def openness(self) -> AllowedNamespaces:
        """Who may refer to it."""
        return self.item.resource.spec.allowed_namespaces or _DEFAULT_OPENNESS

    def verdict(self) -> Verdict:
        """The verdict on the object."""
        return self.item.report.verdict(digest=digest(self.config) if self.config else "")


@dataclass(frozen=True, slots=True)
class CompiledTools:
    """All LLMTools, and who is found by which function name."""

    by_name: Mapping[NamespacedName, CompiledTool]
    settled: Settled


def compile_tools(
    items: Mapping[NamespacedName, Item[LLMTool]], inputs: Inputs, namespaces: Namespaces
) -> CompiledTools:
    """All tools, accepted or not."""
    compiled = {at: _compile_tool(item, inputs, namespaces) for at, item in items.items()}
    settled = settle(_claim(each.item, each.config) for each in compiled.values() if each.config)
    for each in compiled.values():
        _report_lost_name(each, settled)
    return CompiledTools(compiled, settled)


def _compile_tool(item: Item[LLMTool], inputs: Inputs, namespaces: Namespaces) -> CompiledTool:
    spec, report, key = item.resource.spec, item.report, item.key
    name = spec.function_name or key.name.replace("-", "_")
    if not _FUNCTION_NAME.fullmatch(name):
        message = f"is required: {name} out of metadata.name is no function name (64 letters, digits, _ and - at most)"
        report.refuse(Reason.INVALID, "spec.functionName", message)
    schema = compile_schema(report, spec.parameters)
    handler: CompiledHandler | None = None
    if spec.handler is not None:
        handler = compile_handler(report, spec.handler.http, inputs, namespace=key.namespace)
    if not report.accepted:
        return CompiledTool(item)
    tool = Tool(
        namespace=key.namespace,
        name=key.name,
        function=name,
        description=spec.description,
        parameters=schema,
        http=handler.http if handler else None,
        visible_to=namespaces.visible_to(spec.allowed_namespaces or _DEFAULT_OPENNESS, of=key.namespace),
    )
    return CompiledTool(item, tool, handler.secrets if handler else {})


def _claim(item: Item[LLMTool], tool: Tool) -> Claim:
    said = "spec.functionName" if item.resource.spec.function_name else "metadata.name"
    return Claim(tool.function.replace("_", "-"), item.key, item.age, said)


def _report_lost_name(compiled: CompiledTool, settled: Settled) -> None:
    """A tool without its name is still there for personas, which refer to the object."""
    for each in settled.lost.get(compiled.item.key, ()):
        message = (
            f"is the function of {each.winner.holder}, too, which is found by that name in this namespace: "
            "choose another one, unless only personas use it"
        )
        compiled.item.report.warn(Reason.CONFLICTED, each.claim.field, message)
