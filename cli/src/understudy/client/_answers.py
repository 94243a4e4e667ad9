"""What both clients do with an answer that has come: how much of it is read, and what it must be."""

import json
from typing import Any

import httpx2

from understudy.client._errors import InvalidAnswer, UnderstudyError
from understudy.client._failures import from_answer

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""As much as a gateway takes of a request; more is no answer of a model."""
MAX_EVENT_BYTES = 16 * 1024 * 1024
"""One piece of a stream: a picture in it is the largest there is."""


class Body:
    """An answer's bytes, as long as they are not too many."""

    def __init__(self) -> None:
        self._content = bytearray()

    def add(self, piece: bytes) -> None:
        """The next bytes.

        Raises:
            InvalidAnswer: they are too many.
        """
        self._content += piece
        if len(self._content) > MAX_ANSWER_BYTES:
            raise InvalidAnswer(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")

    @property
    def content(self) -> bytes:
        """All of them."""
        return bytes(self._content)

    def decoded(self, response: httpx2.Response) -> Any:
        """The JSON of a success; None where it has nothing to say.

        Raises:
            UnderstudyError: it is no success, or no JSON.
        """
        if not response.is_success:
            raise self.refused(response)
        if response.status_code == 204:
            return None
        try:
            return json.loads(self._content)
        except (ValueError, RecursionError) as error:
            raise InvalidAnswer("the answer is not JSON: is the address a gateway's?") from error

    def refused(self, response: httpx2.Response) -> UnderstudyError:
        """The error of an answer that is no success."""
        return from_answer(response.status_code, response.headers, self.content)


def check_is_stream(response: httpx2.Response) -> None:
    """See that a success is a stream.

    Raises:
        InvalidAnswer: it is something else.
    """
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        raise InvalidAnswer("the answer is no stream of events: is the address a gateway's?")
