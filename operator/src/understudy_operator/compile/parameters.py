"""Request fields that a persona fills in, and those that it may not."""

from typing import Any

from understudy_api.v1alpha1 import field_path
from understudy_api.v1alpha1.persona import Parameters
from understudy_operator.compile.freeform import problem_with
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason

_NOT_PARAMETERS = {
    "messages": "the conversation is the client's; use spec.system",
    "model": "who answers is up to spec.preferences or spec.routeRef",
    "stream": "whether to stream is up to the client",
    "tools": "use spec.tools",
}


def compile_parameters(report: Report, parameters: Parameters | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Defaults and overrides, without the fields that a persona may not set."""
    if parameters is None:
        return {}, {}
    return _allowed(report, "defaults", parameters.defaults), _allowed(report, "overrides", parameters.overrides)


def _allowed(report: Report, where: str, given: dict[str, Any]) -> dict[str, Any]:
    allowed: dict[str, Any] = {}
    for name, value in given.items():
        field = field_path(("spec", "parameters", where, name))
        if name in _NOT_PARAMETERS:
            report.error(Reason.INVALID, field, f"may not be set and is left out: {_NOT_PARAMETERS[name]}")
        elif problem := problem_with(value):
            report.error(Reason.INVALID, field, f"{problem} and is left out")
        else:
            allowed[name] = value
    return allowed
