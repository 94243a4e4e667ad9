"""Reading a request in plain fields: a conversation in OpenAI's words, beside fields of the door's own.

Whatever else chat completions take (`tools`, `top_p`, `response_format` …) is taken here as well, by the same reader.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.fields import invalid
from understudy_proxy.dialects.openai import request as chats
from understudy_proxy.dialects.openai.client import read_chat
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.doors.refusing import bad_request
from understudy_proxy.routing.need import Need
from understudy_proxy.sessions.session import FIELD

_UNNAMED = "unnamed"
_LIMITS = ("max_tokens", "max_completion_tokens")
"""Providers that refuse one call it by a name of their own, which an app never said."""
_UNKNOWN_NEED = Need(capabilities=frozenset(), input_tokens=0, stream=False, max_output_tokens=None)
"""What a conversation takes is found out from its canonical form."""


class PlainRequest(NamedTuple):
    """A conversation, and what was said beside it. The conversation's `model` is the door's to set."""

    chat: Chat
    beside: dict[str, Any]


def read_plain(raw: bytes, *, beside: Collection[str], goes_on: bool = False) -> PlainRequest:
    """Read a body whose fields `beside` are the door's own. With `goes_on` its conversation began before.

    Raises:
        Refused: it is wrong.
    """
    with _told():
        return _plain(replace(chats.read(raw, model=_UNNAMED), goes_on=goes_on), beside)


def read_fields(fields: Mapping[str, Any], *, beside: Collection[str]) -> PlainRequest:
    """The same of fields that came another way than as a body. Whether to stream is the door's to know.

    Raises:
        Refused: they are wrong.
    """
    body = {name: value for name, value in fields.items() if name != "stream"}
    with _told():
        return _plain(chats.ChatRequest(body=body, model=_UNNAMED, need=_UNKNOWN_NEED, stream=False), beside)


def _plain(asked: chats.ChatRequest, beside: Collection[str]) -> PlainRequest:
    own = {name: asked.body.pop(name, None) for name in beside}
    chat = read_chat(replace(asked, goes_on=asked.goes_on or bool(own.get(FIELD))))
    for name in _LIMITS:
        if (limit := asked.body.get(name)) is not None and limit < 1:
            raise invalid(name, f"expected an integer from 1 up, but got {limit}.")
    if chat.choices != 1:
        raise invalid("n", f"this door gives one answer, but {chat.choices} were asked for.")
    return PlainRequest(chat, own)


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong with a request in the words of a door."""
    try:
        yield
    except RequestError as error:
        raise bad_request(error) from error
    except Unsupported as error:
        raise bad_request(RequestError(error.message, code="unsupported_parameter", param=error.param)) from error
