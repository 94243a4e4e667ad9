"""The tools that a persona declares: found, permitted and accepted, or why not."""

from collections.abc import Mapping
from typing import Any

from understudy_api.v1alpha1.meta import ObjectReference
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

    def declarations(
        self, report: Report, refs: tuple[ObjectReference, ...], *, namespace: str
    ) -> tuple[dict[str, Any], ...]:
        """The tools that can be declared, in OpenAI's form; a persona goes on without the rest."""
        found: dict[str, dict[str, Any]] = {}
        for index, ref in enumerate(refs):
            field = f"spec.tools.refs[{index}]"
            declaration = self._find(ref, namespace=namespace)
            if isinstance(declaration, Missing):
                report.unresolved(field, declaration)
                continue
            name = declaration["function"]["name"]
            if name in found:
                message = f"is a second function {name}, and is left out: give it another functionName"
                report.error(Reason.DUPLICATE, field, message)
            else:
                found[name] = declaration
        return tuple(found.values())

    def _find(self, ref: ObjectReference, *, namespace: str) -> dict[str, Any] | Missing:
        at = (ref.namespace or namespace, ref.name)
        found = self._lookup.find(at, namespace=namespace)
        if isinstance(found, Missing):
            return found
        if not self._namespaces.permits(found.openness, of=at[0], to=namespace):
            return not_permitted(found.item.report, namespace=namespace, field="spec.allowedNamespaces")
        return found.declaration or self._lookup.not_served(found.item.report)
