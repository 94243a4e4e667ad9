"""The head of a response as bytes.

Written by hand because a request has one: a response object that can do everything costs half as much again as all
the rest of serving a request.
"""

import time
from email.utils import formatdate
from http import HTTPStatus

from understudy_proxy.doors.door import Answer

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Clock:
    """The `Date` header, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._text = formatdate(now, usegmt=True)
        return self._text


_date = _Clock()


def head(answer: Answer, *, request_id: str, framing: str, close: bool) -> bytes:
    """Status line and headers of `answer`.

    Args:
        answer: What is answered; its body is not written here.
        request_id: Goes out under the two names that SDKs look for.
        framing: The header line that tells how long the body is, as `content_length` and `CHUNKED` give it.
        close: Whether the connection ends after this answer.
    """
    status_line = _STATUS_LINES.get(answer.status) or f"HTTP/1.1 {answer.status} \r\n"
    own = "".join([f"{name}: {_printable(value)}\r\n" for name, value in answer.headers])
    text = (
        f"{status_line}content-type: {answer.content_type}\r\n{own}"
        f"x-request-id: {request_id}\r\nrequest-id: {request_id}\r\n"
        f"date: {_date.text()}\r\n{framing}{'connection: close' if close else 'connection: keep-alive'}\r\n\r\n"
    )
    return text.encode("ascii", "replace")


CHUNKED = "transfer-encoding: chunked\r\n"
TO_THE_END = ""
"""For HTTP/1.0: the body ends where the connection does."""


def content_length(length: int) -> str:
    """The header line of a body of `length` bytes."""
    return f"content-length: {length}\r\n"


def chunk(data: bytes) -> bytes:
    """`data` as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _printable(value: str) -> str:
    """`value`, unable to end its line: names in a configuration may hold anything."""
    if value.isprintable():
        return value
    return "".join(character if character.isprintable() else "?" for character in value)
