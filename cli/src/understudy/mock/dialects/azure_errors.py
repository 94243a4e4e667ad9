"""Failures in Azure's words: some from the gateway in front of it, with a code and a message alone, some OpenAI's."""

from typing import Any

from understudy.mock.dialects.openai import error_of
from understudy.mock.failures import Failure, FailureKind

WORDS = {
    FailureKind.BAD_KEY: (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
        "active subscription and use a correct regional API endpoint for your resource."
    ),
    FailureKind.MODEL_NOT_FOUND: (
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again."
    ),
    FailureKind.RATE_LIMIT: (
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded call rate limit of your "
        "current AIServices S0 pricing tier. Please retry after 2 seconds."
    ),
    FailureKind.FILTER: (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry."
    ),
}
"""Messages of scripted failures, where they are not those of OpenAI."""

_CODES = {
    FailureKind.BAD_KEY: "401",
    FailureKind.FORBIDDEN: "403",
    FailureKind.PATH_NOT_FOUND: "404",
    FailureKind.MODEL_NOT_FOUND: "DeploymentNotFound",
    FailureKind.RATE_LIMIT: "429",
    FailureKind.SERVER_ERROR: "InternalServerError",
    FailureKind.OVERLOADED: "ServiceUnavailable",
    FailureKind.OTHER: "UnknownError",
}


def error_body(failure: Failure) -> dict[str, Any]:
    """Return the body of a failure."""
    if failure.kind in _CODES:
        return {"error": {"code": _CODES[failure.kind], "message": failure.message}}
    if failure.kind is FailureKind.FILTER:
        return {"error": _filtered(failure)}
    return {"error": error_of(failure)}


def _filtered(failure: Failure) -> dict[str, Any]:
    found = {category: {"filtered": False, "severity": "safe"} for category in ("hate", "self_harm", "sexual")}
    found["violence"] = {"filtered": True, "severity": "medium"}
    return {
        "message": failure.message,
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": failure.status,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found},
    }
