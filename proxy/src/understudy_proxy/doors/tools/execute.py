"""The door `POST /v1/tools/execute`: one call of one tool, without any model.

A tool that was called has been called, whatever came of it: the answer is a 200, and `success` says how it went. Only
what led to no call at all is an error of HTTP, which a client may take back and correct, or try again.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.doors.door import Answer, Headers, Refused, Request
from understudy_proxy.doors.headers import forwarded
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.tools.errors import failure
from understudy_proxy.telemetry.metrics import Metrics
from understudy_proxy.tools.outcome import Outcome, OutcomeKind
from understudy_proxy.tools.tools import Tools

_NOT_CALLED = {
    OutcomeKind.INVALID_ARGUMENTS: 400,
    OutcomeKind.NOT_EXECUTABLE: 400,
    OutcomeKind.BUSY: 503,
}
"""Statuses of what led to no call."""
_SHOWN = 128
"""Characters of a name that an error repeats."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What is asked for."""

    name: str
    arguments: object


class ExecuteDoor:
    """Runs tools."""

    def __init__(self, *, names: Names, tools: Tools, metrics: Metrics) -> None:
        """Count in `metrics` who is turned away."""
        self._names = names
        self._tools = tools
        self._metrics = metrics

    async def __call__(self, request: Request) -> Answer:
        """The result, or why there is none."""
        try:
            call = _read(await request.body())
            tool = self._tool(request, call.name)
        except Refused as refused:
            self._metrics.refused(refused.reason)
            raise
        outcome = await self._tools.run(tool, call.arguments, forward=forwarded(request))
        return _answer(tool, outcome)

    def _tool(self, request: Request, name: str) -> RuntimeTool:
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        tool = self._tools.find(runtime, name, namespace=namespace)
        if tool is None:
            message = (
                f"The tool '{name[:_SHOWN]}' does not exist or is not for you to use. GET /v1/tools lists what does."
            )
            raise Refused(404, message, code="tool_not_found", param="name", reason="tool_not_found")
        return tool


def _read(raw: bytes) -> _Call:
    try:
        body = orjson.loads(raw)
    except ValueError as error:
        raise _bad(f"The body is not JSON: {error}", param=None) from error
    if not isinstance(body, dict):
        raise _bad("The body must be an object with name and arguments.", param=None)
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise _bad("name is missing: it takes the name of a function.", param="name")
    return _Call(name, body.get("arguments"))


def _bad(message: str, *, param: str | None) -> Refused:
    return Refused(400, message, code="bad_request", param=param, reason="bad_request")


def _answer(tool: RuntimeTool, outcome: Outcome) -> Answer:
    headers: Headers = (("x-understudy-tool", tool.key),)
    body: dict[str, Any] = {"success": True, "result": outcome.result}
    if outcome.error is not None:
        body = failure(outcome.error, code=outcome.kind)
        headers += (("x-understudy-reason", outcome.kind),)
    if outcome.kind is OutcomeKind.BUSY:
        headers += (("retry-after", "1"), ("x-should-retry", "true"))
    return Answer(_NOT_CALLED.get(outcome.kind, 200), orjson.dumps(body), headers=headers)
