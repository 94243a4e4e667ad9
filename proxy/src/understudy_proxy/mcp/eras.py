"""Which of the protocol's two eras a request belongs to, and whether it keeps to it.

Up to 2025-11-25 a client begins with a handshake; from 2026-07-28 on each request says all of itself: the version in a
header and again in `_meta`, its method and the name of what it is about in headers, so that whatever is on the way can
route by them. https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from understudy_proxy.mcp.errors import Code, ProtocolError
from understudy_proxy.mcp.messages import Call

HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""The newest first."""
MODERN_VERSIONS = ("2026-07-28",)
BATCHING = "2025-03-26"
"""The one version that knows batches, and the one that a client means which does not say."""

VERSION_HEADER, METHOD_HEADER, NAME_HEADER = "mcp-protocol-version", "mcp-method", "mcp-name"
_META = "io.modelcontextprotocol/"
VERSION_KEY, CAPABILITIES_KEY = f"{_META}protocolVersion", f"{_META}clientCapabilities"
SERVER_KEY = f"{_META}serverInfo"
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The parameter that a request's `Mcp-Name` repeats."""
_ENCODED = re.compile(r"=\?base64\?(.*)\?=")


class Era(StrEnum):
    """How requests come."""

    HANDSHAKE = "handshake"
    MODERN = "modern"


class RequestHeaders(Protocol):
    """Headers by name, whatever its case."""

    def getall(self, name: str, default: Sequence[str], /) -> Sequence[str]:
        """All values of a name."""


def era_of(headers: RequestHeaders, call: Call | None = None) -> Era:
    """The era of a request; without a `call`, by its headers alone.

    Raises:
        ProtocolError: its headers contradict one another or the call, or name a version that is not spoken here.
    """
    version = _one(headers, VERSION_HEADER)
    inside = call.meta.get(VERSION_KEY) if call is not None else None
    if inside is None and (version is None or version in HANDSHAKE_VERSIONS):
        return Era.HANDSHAKE
    if call is not None:
        _check_envelope(call)
        if version != inside:
            raise _mismatch(VERSION_HEADER, f"the {VERSION_KEY} of params._meta", _shown(inside))
        _check_routing(headers, call)
    if version not in MODERN_VERSIONS:
        raise ProtocolError(
            Code.UNSUPPORTED_VERSION,
            f"This server does not speak MCP {_shown(version)}.",
            data={"supported": list(MODERN_VERSIONS), "requested": version},
        )
    return Era.MODERN


def batches(headers: RequestHeaders) -> bool:
    """Whether a client may send several messages at once."""
    return _one(headers, VERSION_HEADER) in {None, BATCHING}


def _check_envelope(call: Call) -> None:
    absent = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in call.meta]
    if absent:
        raise ProtocolError(Code.INVALID_PARAMS, f"params._meta lacks {' and '.join(absent)}.")


def _check_routing(headers: RequestHeaders, call: Call) -> None:
    if _one(headers, METHOD_HEADER) != call.method:
        raise _mismatch(METHOD_HEADER, "the request's method", _shown(call.method))
    key = _NAMED_BY.get(call.method)
    named = call.params.get(key) if key is not None else None
    if named is not None and _decoded(_one(headers, NAME_HEADER)) != named:
        raise _mismatch(NAME_HEADER, f"params.{key}", _shown(named))


def _one(headers: RequestHeaders, name: str) -> str | None:
    """The value of a header by which others route, who may read the first of several, or the last."""
    values = headers.getall(name, ())
    if len(values) > 1:
        raise ProtocolError(Code.HEADER_MISMATCH, f"The header {name} is there {len(values)} times; once is right.")
    return values[0] if values else None


def _decoded(value: str | None) -> str | None:
    """What a header stands for; None where it is garbled."""
    found = _ENCODED.fullmatch(value) if value is not None else None
    if found is None:
        return value
    try:
        return b64decode(found[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _mismatch(header: str, what: str, said: str) -> ProtocolError:
    return ProtocolError(Code.HEADER_MISMATCH, f"The header {header} must repeat {what}, which is {said}.")


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 64 else text[:63] + "…")
