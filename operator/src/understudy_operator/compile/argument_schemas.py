"""The JSON Schema of a tool's arguments: whether arguments can be checked by it, and every vendor takes it."""

from collections.abc import Mapping
from typing import Any

from understudy_api.config.schemas import BadSchema, validator_of
from understudy_api.v1alpha1 import field_path
from understudy_operator.compile.freeform import problem_with
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason

_AT = ("spec", "parameters")
_YAML_WORDS = frozenset({"true", "false"})
"""What is left of names such as `y` and `no` when YAML 1.1, which kubectl reads, has read them without quotes."""


def compile_schema(report: Report, given: dict[str, Any]) -> dict[str, Any]:
    """The schema, completed to what every vendor wants: an object with properties."""
    schema = {"type": "object", "properties": {}, **given}
    if problem := problem_with(given):
        report.refuse(Reason.INVALID, field_path(_AT), problem)
        return schema
    if schema["type"] != "object":
        report.refuse(Reason.INVALID, field_path((*_AT, "type")), "must be object: a function takes named arguments")
    properties = schema["properties"]
    if not isinstance(properties, dict):
        report.refuse(Reason.INVALID, field_path((*_AT, "properties")), "must be a map of argument names to schemas")
        return schema
    for name, argument in properties.items():
        if not isinstance(argument, (dict, bool)):
            message = "must be a JSON Schema, which is a map"
            report.refuse(Reason.INVALID, field_path((*_AT, "properties", name)), message)
        if name in _YAML_WORDS:
            message = "is what YAML makes of y, n, yes, no, on and off: if it is to be one of these, put it into quotes"
            report.warn(Reason.INVALID, field_path((*_AT, "properties", name)), message)
    _check_required(report, schema.get("required", []), properties)
    if report.accepted:
        _check_usable(report, schema)
    return schema


def _check_required(report: Report, required: Any, properties: Mapping[str, Any]) -> None:
    field = "spec.parameters.required"
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        hint = ", in quotes where YAML would read true or false" if _has_yaml_words(required) else ""
        report.refuse(Reason.INVALID, field, f"must be a list of argument names{hint}")
        return
    unknown = [name for name in required if name not in properties]
    if unknown:
        message = f"names {unknown[0]}, which is not among the properties: describe it there"
        report.warn(Reason.INVALID, field, message)


def _has_yaml_words(required: Any) -> bool:
    return isinstance(required, list) and any(isinstance(name, bool) for name in required)


def _check_usable(report: Report, schema: dict[str, Any]) -> None:
    try:
        validator_of(schema)
    except BadSchema as error:
        report.refuse(Reason.INVALID, field_path((*_AT, *error.path)), f"is no JSON Schema: {error}")
