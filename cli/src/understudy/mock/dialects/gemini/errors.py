"""Failures in Google's words: `google.rpc.Status` in JSON, with its details.

When to come back is a detail, `RetryInfo`, and not a header: https://cloud.google.com/apis/design/errors
"""

from typing import Any

from understudy.mock.failures import Failure, FailureKind

WORDS = {
    FailureKind.BAD_KEY: "API key not valid. Please pass a valid API key.",
    FailureKind.FORBIDDEN: "Permission denied on resource: models/{model}.",
    FailureKind.MODEL_NOT_FOUND: (
        "models/{model} is not found for API version v1beta, or is not supported for generateContent."
    ),
    FailureKind.RATE_LIMIT: "Resource has been exhausted (e.g. check quota).",
    FailureKind.QUOTA: (
        "You exceeded your current quota, please check your plan and billing details. "
        "For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
    ),
    FailureKind.CONTEXT: "The input token count (9000) exceeds the maximum number of tokens allowed (8192).",
    FailureKind.SERVER_ERROR: (
        "An internal error has occurred. "
        "Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
    ),
    FailureKind.OVERLOADED: "The model is overloaded. Please try again later.",
}
"""Messages of scripted failures, where they are not those of OpenAI."""

# https://cloud.google.com/apis/design/errors#handling_errors
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TYPES = "type.googleapis.com/google.rpc."
_QUOTAS = {
    FailureKind.RATE_LIMIT: "GenerateRequestsPerMinutePerProjectPerModel",
    FailureKind.QUOTA: "GenerateRequestsPerDayPerProjectPerModel",
}


def error_body(failure: Failure) -> dict[str, Any]:
    """Return the body of a failure."""
    status = _STATUS.get(failure.status, "INTERNAL" if failure.status >= 500 else "UNKNOWN")
    error: dict[str, Any] = {"code": failure.status, "message": failure.message, "status": status}
    if details := _details(failure):
        error["details"] = details
    return {"error": error}


def _details(failure: Failure) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    if failure.kind is FailureKind.BAD_KEY and failure.status == 400:
        details.append({"@type": f"{_TYPES}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"})
    if failure.kind in _QUOTAS:
        metric = "generativelanguage.googleapis.com/generate_content_requests"
        violation = {"quotaMetric": metric, "quotaId": _QUOTAS[failure.kind]}
        details.append({"@type": f"{_TYPES}QuotaFailure", "violations": [violation]})
    if delay := _delay(dict(failure.retry)):
        details.append({"@type": f"{_TYPES}RetryInfo", "retryDelay": delay})
    return details


def _delay(retry: dict[str, str]) -> str | None:
    """Return a protobuf duration such as `34s` or `1.5s`; none for a date, which it cannot say."""
    if "retry-after-ms" in retry:
        return f"{float(retry['retry-after-ms']) / 1000:g}s"
    seconds = retry.get("retry-after", "")
    return f"{seconds}s" if seconds.replace(".", "", 1).isdecimal() else None
