"""Errors in the protocol's words, for requests that are refused before it is known what they ask."""

from typing import Any

import orjson

from understudy_proxy.doors.door import Headers, Refused
from understudy_proxy.mcp.errors import Code, ProtocolError
from understudy_proxy.mcp.messages import error_of

_META = "understudy.dev/"
_OWN_PREFIX = "x-understudy-"
_WAIT = "retry-after"


def mcp_errors(refused: Refused) -> bytes:
    """The body: an answer to nobody knows which request."""
    return orjson.dumps(error_of(None, protocol_error(refused)))


def protocol_error(refused: Refused) -> ProtocolError:
    """A refusal as an error of the protocol."""
    code = Code.INTERNAL_ERROR if refused.status >= 500 else Code.INVALID_REQUEST
    return ProtocolError(code, refused.message, data=error_details(refused))


def error_details(refused: Refused) -> dict[str, Any]:
    """What programs want to know of a refusal beside its message."""
    known = {
        "status": refused.status,
        "type": refused.type,
        "code": refused.code,
        "param": refused.param,
        "reason": refused.reason or None,
        "retry_after": next((int(value) for name, value in refused.headers if name == _WAIT), None),
    }
    return {name: value for name, value in known.items() if value is not None}


def about(headers: Headers) -> dict[str, str]:
    """What the gateway's own headers say, for clients that see none: as `_meta` of a result."""
    return {
        f"{_META}{name.removeprefix(_OWN_PREFIX)}": value for name, value in headers if name.startswith(_OWN_PREFIX)
    }


ERROR_KEY = f"{_META}error"
"""Where `_meta` of a failed result has its details."""
