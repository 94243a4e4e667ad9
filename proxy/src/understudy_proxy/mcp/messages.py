"""JSON-RPC 2.0 as MCP uses it: what a client posts, and what goes back.

https://www.jsonrpc.org/specification, https://modelcontextprotocol.io/specification/2026-07-28/basic
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from understudy_proxy.mcp.errors import Code, ProtocolError

Id = str | int
"""Of a request, and of a stream of progress."""

_MAX_DETAIL = 120
_MAX_TOKEN = 256
"""Characters of a progress token: each notification repeats it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request: it is owed an answer."""

    id: Id
    method: str
    params: Mapping[str, Any]

    @property
    def meta(self) -> Mapping[str, Any]:
        """What goes with the parameters and is about the protocol."""
        meta = self.params.get("_meta")
        return meta if type(meta) is dict else {}

    @property
    def progress_token(self) -> Id | None:
        """By which the client knows the progress of this request; None: it wants none."""
        token: Id | None = self.meta.get("progressToken")
        return token


@dataclass(frozen=True, slots=True)
class Told:
    """A notification, or a response to nothing that was asked: there is no answer to it."""

    method: str | None


Message = Call | Told


def read(raw: bytes) -> Message | list[Any]:
    """The message that a body holds; a list of what may be messages where it holds a batch of them.

    Raises:
        ProtocolError: it holds neither.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(Code.PARSE_ERROR, f"The body is not JSON: {str(error)[:_MAX_DETAIL]}.") from None
    return value if type(value) is list else read_message(value)


def read_message(value: Any) -> Message:
    """A message.

    Raises:
        ProtocolError: it is none.
    """
    if type(value) is not dict or value.get("jsonrpc") != "2.0":
        _refuse('A message is a JSON object with "jsonrpc": "2.0".')
    method = value.get("method")
    if method is None and ("result" in value or "error" in value):
        return Told(None)
    if type(method) is not str or not method:
        _refuse("A message has a method, which is a string.")
    if "id" not in value:
        return Told(method)
    if not _is_id(value["id"]):
        _refuse("The id of a request is a string or an integer.")
    params = value.get("params")
    if params is not None and type(params) is not dict:
        raise ProtocolError(Code.INVALID_PARAMS, "The params of a request are an object.")
    call = Call(value["id"], method, params or {})
    _check_token(call.progress_token)
    return call


def id_in(value: Any) -> Id | None:
    """The id of something that may be a message, to say to whom an error belongs."""
    found = value.get("id") if type(value) is dict else None
    return found if _is_id(found) else None


def result_of(call: Call, result: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    return {"jsonrpc": "2.0", "id": call.id, "result": result}


def error_of(request: Id | None, error: ProtocolError) -> dict[str, Any]:
    """The answer to a request with which something is wrong; None where it is not known which one."""
    return {"jsonrpc": "2.0", "id": request, "error": error.fields()}


def progress_of(token: Id, count: int, message: str) -> dict[str, Any]:
    """A notification that a request gets on."""
    params = {"progressToken": token, "progress": count, "message": message}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def event(message: Mapping[str, Any] | list[Any]) -> bytes:
    """A message as a server-sent event, on one line: agents of the mesh read no more than that."""
    return b"event: message\ndata: " + orjson.dumps(message) + b"\n\n"


KEPT_ALIVE = b": still here\n\n"
"""A comment, which says that an answer is still to come."""


def _check_token(token: Any) -> None:
    if token is not None and (not _is_id(token) or (type(token) is str and len(token) > _MAX_TOKEN)):
        message = f"The progressToken is an integer, or a string of up to {_MAX_TOKEN} characters."
        raise ProtocolError(Code.INVALID_PARAMS, message)


def _is_id(value: Any) -> bool:
    return type(value) in {str, int}


def _refuse(why: str) -> NoReturn:
    raise ProtocolError(Code.INVALID_REQUEST, why)
