"""Headers that doors of every protocol share: how a request went, and what goes on to the upstream."""

import re

from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.doors.door import Headers, Request
from understudy_proxy.exchange.course import Course

# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]{0,64})?")
_TRACESTATE = re.compile("[ -~]{1,512}")

_WARNING_CHARACTERS = 1024

STREAMING: Headers = (
    ("cache-control", "no-cache"),
    # nginx and its kin would hold events back otherwise.
    ("x-accel-buffering", "no"),
)


def course_headers(target: RuntimeTarget | None, course: Course) -> Headers:
    """Which route it was (of a persona: with which prompt), who answered or was tried last, after how many attempts."""
    if target is None:
        return ()
    headers: Headers = (("x-understudy-route", target.label), ("x-understudy-attempts", str(course.attempts)))
    if target.prompt is not None and target.prompt.revision:
        headers += (("x-understudy-persona-revision", target.prompt.revision),)
    if course.candidate is not None:
        headers += (
            ("x-understudy-provider", course.candidate.upstream.key),
            ("x-understudy-model", course.candidate.model),
        )
    return headers


def answered_headers(target: RuntimeTarget, course: Course) -> Headers:
    """`course_headers` of an answer, with why it is not the first choice's and what of the request it leaves out."""
    headers = course_headers(target, course)
    if course.reason is not None:
        headers = (*headers, ("x-understudy-reason", course.reason))
    if course.warnings:
        headers = (*headers, ("x-understudy-warning", "; ".join(course.warnings)[:_WARNING_CHARACTERS]))
    return headers


def tool_calls_header(tool_calls: int | None) -> Headers:
    """How many calls of tools the gateway has run for an answer; nothing where it runs none."""
    return () if tool_calls is None else (("x-understudy-tool-calls", str(tool_calls)),)


def forwarded(request: Request) -> Headers:
    """What an upstream gets of the client's headers: the ids by which a request is followed, and nothing else."""
    headers: Headers = (("x-request-id", request.id),)
    traceparent = request.headers.get("traceparent")
    if traceparent is not None and _TRACEPARENT.fullmatch(traceparent):
        headers += (("traceparent", traceparent),)
        tracestate = request.headers.get("tracestate")
        if tracestate is not None and _TRACESTATE.fullmatch(tracestate):
            headers += (("tracestate", tracestate),)
    return headers
