"""The tools that a persona declares: found, permitted and accepted, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy_api.v1alpha1.meta import ObjectReference
from understudy_operator.compile.backends import hint
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.sources import Missing
from understudy_operator.compile.tools import CompiledTool
from understudy_operator.compile.verdict import ObjectKey, Reason, Report


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools that personas may refer to."""

    tools: Mapping[NamespacedName, CompiledTool]
    unreadable: Mapping[ObjectKey, Report]
    namespaces: Namespaces

    def declarations(
        self, report: Report, refs: tuple[ObjectReference, ...], *, namespace: str
    ) -> tuple[dict[str, Any], ...]:
        """The tools that can be declared, in OpenAI's form; a persona goes on without the rest."""
        found: dict[str, dict[str, Any]] = {}
        for index, ref in enumerate(refs):
            field = f"spec.tools.refs[{index}]"
            tool = self._find(ref, namespace=namespace)
            if isinstance(tool, Missing):
                report.error(tool.reason, field, tool.message)
            elif tool.function_name in found:
                message = f"is a second function {tool.function_name}, and is left out: give it another functionName"
                report.error(Reason.DUPLICATE, field, message)
            elif tool.declaration is not None:
                found[tool.function_name] = tool.declaration
        return tuple(found.values())

    def _find(self, ref: ObjectReference, *, namespace: str) -> CompiledTool | Missing:
        at = (ref.namespace or namespace, ref.name)
        key = ObjectKey("LLMTool", *at)
        found = self.tools.get(at)
        if found is None:
            if key in self.unreadable:
                return _not_accepted(self.unreadable[key])
            own = (name for where, name in self.tools if where == namespace)
            near = hint(ref.name, own) if at[0] == namespace else ""
            return Missing(Reason.TOOL_NOT_FOUND, f"{key} does not exist{near}")
        if not self.namespaces.permits(found.openness, of=at[0], to=namespace):
            message = (
                f"{key} does not allow references from namespace {namespace}: its spec.allowedNamespaces must let it in"
            )
            return Missing(Reason.REF_NOT_PERMITTED, message)
        return found if found.declaration is not None else _not_accepted(found.item.report)


def _not_accepted(report: Report) -> Missing:
    return Missing(Reason.TOOL_NOT_SERVED, f"{report.subject} is not accepted ({report.why_not_served()})")
