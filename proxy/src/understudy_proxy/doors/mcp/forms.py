"""What the sender of a request can read."""

from typing import NamedTuple

from understudy_proxy.doors.door import JSON, Refused, Request

_STREAM = "text/event-stream"
_ANY_JSON, _ANY_STREAM = frozenset({"*/*", "application/*", JSON}), frozenset({"*/*", "text/*", _STREAM})


class Forms(NamedTuple):
    """What the sender of a request can read."""

    json: bool
    stream: bool


def forms_of(request: Request) -> Forms:
    """What the headers of a request say of it and of what may come back.

    Raises:
        Refused: it is something else than JSON, or its sender can read no answer.
    """
    sent = request.headers.get("content-type")
    if sent is not None and _kind(sent) != JSON:
        message = f"The body of a request is {JSON}, but its Content-Type says {sent[:64]!r}."
        raise Refused(415, message, code="unsupported_media_type", reason="bad_request")
    accept = request.headers.getall("accept", ())
    kinds = {_kind(kind) for line in accept for kind in line.split(",")}
    forms = Forms(json=not kinds or bool(kinds & _ANY_JSON), stream=bool(kinds & _ANY_STREAM))
    if not any(forms):
        message = f"Answers are {JSON} or {_STREAM}: accept both."
        raise Refused(406, message, code="not_acceptable", reason="bad_request")
    return forms


def _kind(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
