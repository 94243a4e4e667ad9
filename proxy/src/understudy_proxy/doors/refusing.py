"""From what is wrong with a request, or with everybody who could answer it, to an error of a door."""

from math import ceil

from understudy_proxy.dialects.openai.errors import INTERRUPTED
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.doors.door import Answer, ErrorFormat, Headers, Refused
from understudy_proxy.exchange.refusal import Refusal
from understudy_proxy.failure import UpstreamFailure


def bad_request(error: RequestError) -> Refused:
    """A request that is wrong, as the door's error."""
    return Refused(
        error.status, error.message, type=error.type, code=error.code, param=error.param, reason="bad_request"
    )


def from_refusal(refusal: Refusal, headers: Headers) -> Refused:
    """What nobody answered, as an error answer; `headers` say how it went."""
    own = list(headers)
    if refusal.retry_after_seconds is not None:
        # SDKs read the milliseconds first; whole seconds are rounded up, so that nobody comes too early.
        own.append(("retry-after", str(ceil(refusal.retry_after_seconds))))
        own.append(("retry-after-ms", str(ceil(refusal.retry_after_seconds * 1000))))
    if refusal.should_retry is not None:
        own.append(("x-should-retry", "true" if refusal.should_retry else "false"))
    return Refused(
        refusal.status,
        refusal.message,
        type=refusal.type,
        code=refusal.code,
        param=refusal.param,
        reason=refusal.reason,
        headers=tuple(own),
        upstream_status=refusal.upstream_status,
    )


def interrupted(failure: UpstreamFailure, *, headers: Headers = ()) -> Refused:
    """An answer that was cut, as an error; `headers` say how it went until then."""
    message = f"The provider's answer was interrupted ({failure.kind}): it is not complete."
    return Refused(502, message, type="upstream_error", code=INTERRUPTED, reason=failure.kind, headers=headers)


def rendered(refused: Refused, errors: ErrorFormat, *, request_id: str) -> Answer:
    """The error answer in a door's format."""
    refused.request_id = request_id
    headers = (*refused.headers, ("x-understudy-reason", refused.reason)) if refused.reason else refused.headers
    return Answer(refused.status, errors(refused), headers=headers)
