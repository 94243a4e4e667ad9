"""LLMTools: functions that a model may call, in the form in which requests declare them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy_api.config import digest
from understudy_api.v1alpha1 import LLMTool, field_path
from understudy_api.v1alpha1.meta import AllowedNamespaces
from understudy_operator.compile.freeform import problem_with
from understudy_operator.compile.inputs import NamespacedName
from understudy_operator.compile.pending import warn_of_pending
from understudy_operator.compile.reading import Item
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason, Verdict

_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DEFAULT_OPENNESS = AllowedNamespaces()


@dataclass(frozen=True, slots=True)
class CompiledTool:
    """A readable LLMTool, and its declaration in OpenAI's form unless it is not accepted."""

    item: Item[LLMTool]
    declaration: dict[str, Any] | None

    @property
    def openness(self) -> AllowedNamespaces:
        """Who may refer to it."""
        return self.item.resource.spec.allowed_namespaces or _DEFAULT_OPENNESS

    def verdict(self) -> Verdict:
        """The verdict on the object."""
        return self.item.report.verdict(digest=digest(self.declaration) if self.declaration else "")


def compile_tools(items: Mapping[NamespacedName, Item[LLMTool]]) -> dict[NamespacedName, CompiledTool]:
    """All tools, accepted or not."""
    return {at: _compile_tool(item) for at, item in items.items()}


def _compile_tool(item: Item[LLMTool]) -> CompiledTool:
    spec, report = item.resource.spec, item.report
    warn_of_pending(report, item.resource)
    name = spec.function_name or item.key.name.replace("-", "_")
    if not _FUNCTION_NAME.fullmatch(name):
        message = f"is required: {name} out of metadata.name is no function name (64 letters, digits, _ and - at most)"
        report.refuse(Reason.INVALID, "spec.functionName", message)
    schema = _schema(report, spec.parameters)
    if not report.accepted:
        return CompiledTool(item, declaration=None)
    function = {"name": name, "description": spec.description, "parameters": schema}
    return CompiledTool(item, declaration={"type": "function", "function": function})


def _schema(report: Report, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments' JSON Schema, completed to what every vendor wants: an object with properties."""
    at = ("spec", "parameters")
    schema = {"type": "object", "properties": {}, **given}
    if problem := problem_with(given):
        report.refuse(Reason.INVALID, field_path(at), problem)
    if schema["type"] != "object":
        report.refuse(Reason.INVALID, field_path((*at, "type")), "must be object: a function takes named arguments")
    properties = schema["properties"]
    if not isinstance(properties, dict):
        report.refuse(Reason.INVALID, field_path((*at, "properties")), "must be a map of argument names to schemas")
        return schema
    for name, argument in properties.items():
        if not isinstance(argument, (dict, bool)):
            report.refuse(
                Reason.INVALID, field_path((*at, "properties", name)), "must be a JSON Schema, which is a map"
            )
    _check_required(report, schema.get("required", []), properties)
    return schema


def _check_required(report: Report, required: Any, properties: Mapping[str, Any]) -> None:
    field = "spec.parameters.required"
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        report.refuse(Reason.INVALID, field, "must be a list of argument names")
        return
    unknown = [name for name in required if name not in properties]
    if unknown:
        message = f"names {unknown[0]}, which is not among the properties: describe it there"
        report.warn(Reason.INVALID, field, message)
