"""The tools of a persona: found, permitted and accepted, or why not; and which of them the gateway runs itself."""

from collections.abc import Mapping

from understudy_api.config import Tool
from understudy_api.v1alpha1.meta import ObjectReference
from understudy_api.v1alpha1.persona import PersonaTools, ToolMode
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.lookup import Lookup, not_permitted
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.namespaces import Namespaces
from understudy_operator.compile.report import Report
from understudy_operator.compile.tools import CompiledTool
from understudy_operator.compile.verdict import ObjectKey, Reason


class Toolbox:
    """The tools that personas may refer to."""

    def __init__(
        self,
        tools: Mapping[NamespacedName, CompiledTool],
        unreadable: Mapping[ObjectKey, Report],
        namespaces: Namespaces,
    ) -> None:
        self._namespaces = namespaces
        self._lookup = Lookup(
            "LLMTool", tools, unreadable, not_found=Reason.TOOL_NOT_FOUND, not_served=Reason.TOOL_NOT_SERVED
        )

    def declared(self, report: Report, wanted: PersonaTools | None, *, namespace: str) -> tuple[Tool, ...]:
        """The tools that can be declared; a persona goes on without the rest."""
        found: dict[str, Tool] = {}
        for index, ref in enumerate(wanted.refs if wanted else ()):
            field = f"spec.tools.refs[{index}]"
            tool = self._find(ref, namespace=namespace)
            if isinstance(tool, Missing):
                report.unresolved(field, tool)
            elif tool.function in found:
                message = f"is a second function {tool.function}, and is left out: give it another functionName"
                report.error(Reason.DUPLICATE, field, message)
            else:
                found[tool.function] = tool
        return tuple(found.values())

    def _find(self, ref: ObjectReference, *, namespace: str) -> Tool | Missing:
        at = (ref.namespace or namespace, ref.name)
        found = self._lookup.find(at, namespace=namespace)
        if isinstance(found, Missing):
            return found
        if not self._namespaces.permits(found.openness, of=at[0], to=namespace):
            return not_permitted(found.item.report, namespace=namespace, field="spec.allowedNamespaces")
        return found.config or self._lookup.not_served(found.item.report)


def executed(report: Report, wanted: PersonaTools | None, tools: tuple[Tool, ...]) -> dict[str, str]:
    """Those of `tools` that the gateway runs itself, by function name; the clients run the rest."""
    if wanted is None or wanted.mode is not ToolMode.EXECUTE:
        return {}
    for tool in tools:
        if tool.http is None:
            message = f"has no effect on LLMTool {tool.key}, which has no spec.handler: the client runs it"
            report.warn(Reason.NOT_IN_EFFECT, "spec.tools.mode", message)
    return {tool.function: tool.key for tool in tools if tool.http is not None}
