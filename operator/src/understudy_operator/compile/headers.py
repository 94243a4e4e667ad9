"""Headers that a provider or a tool may add to every request, and those that it may not touch."""

from collections.abc import Mapping

from understudy_api.v1alpha1 import field_path
from understudy_operator.compile.report import Report
from understudy_operator.compile.verdict import Reason

_OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110, section 7.6.1, and what frames a message: another value would break or split requests."""
_OF_THE_BODY = frozenset({"accept", "accept-encoding", "content-type", "x-amz-content-sha256", "x-amz-date"})
"""They say what the gateway sends and can read."""
_OF_THE_SIGN_IN = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-amz-security-token",
        "x-api-key",
        "x-goog-api-key",
    },
)
"""Their values are secret, and this configuration is not."""


def compile_headers(report: Report, given: Mapping[str, str], *, at: tuple[str, ...], sign_in: str) -> dict[str, str]:
    """The headers to set; one that may not be set refuses the object, since it would not do what its author meant.

    `at` is where they are given, `sign_in` the field that names a Secret.
    """
    accepted: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in given.items():
        field, lower = field_path((*at, name)), name.lower()
        if lower in _OF_THE_SIGN_IN:
            report.refuse(Reason.INVALID, field, f"may not be set here: keys belong in a Secret, named by {sign_in}")
        elif lower in _OF_THE_CONNECTION | _OF_THE_BODY:
            report.refuse(Reason.INVALID, field, "may not be set: the gateway sets it for each request; remove it")
        elif lower in seen:
            report.refuse(Reason.INVALID, field, "is set twice, in different case; header names have none: keep one")
        elif not (value.isascii() and value.isprintable()):
            report.refuse(Reason.INVALID, field, "must be printable ASCII: HTTP headers carry nothing else safely")
        else:
            accepted[name] = value
        seen.add(lower)
    return accepted


def with_defaults(headers: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
    """`headers`, and those of `defaults` that are not among them, whatever the case."""
    given = {name.lower() for name in headers}
    return {**{name: value for name, value in defaults.items() if name.lower() not in given}, **headers}
