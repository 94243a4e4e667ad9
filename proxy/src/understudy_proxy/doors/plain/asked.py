"""Reading a request in plain fields: a conversation in OpenAI's words, beside fields of the door's own.

Whatever else chat completions take (`tools`, `top_p`, `response_format` …) is taken here as well, by the same reader.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.fields import invalid
from understudy_proxy.dialects.openai import request as chats
from understudy_proxy.dialects.openai.client import read_chat
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.doors.refusing import bad_request

_UNNAMED = "unnamed"


class PlainRequest(NamedTuple):
    """A conversation, and what was said beside it. The conversation's `model` is the door's to set."""

    chat: Chat
    beside: dict[str, Any]


def read_plain(raw: bytes, *, beside: Collection[str]) -> PlainRequest:
    """Read a body whose fields `beside` are the door's own.

    Raises:
        Refused: it is wrong.
    """
    try:
        asked = chats.read(raw, model=_UNNAMED)
        own = {name: asked.body.pop(name, None) for name in beside}
        chat = read_chat(asked)
        if chat.choices != 1:
            raise invalid("n", f"this door gives one answer, but {chat.choices} were asked for.")
    except RequestError as error:
        raise bad_request(error) from error
    except Unsupported as error:
        raise bad_request(RequestError(error.message, code="unsupported_parameter", param=error.param)) from error
    return PlainRequest(chat, own)
