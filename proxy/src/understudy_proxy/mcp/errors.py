"""What can be wrong with a message of the protocol, and the numbers that say so."""

from enum import IntEnum
from typing import Any


class Code(IntEnum):
    """Codes of JSON-RPC, and those that MCP adds to them."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    HEADER_MISMATCH = -32020
    UNSUPPORTED_VERSION = -32022


class ProtocolError(Exception):
    """A message is answered with an error; whatever a tool runs into is a result instead."""

    def __init__(self, code: Code, message: str, *, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
        """For programs."""

    def fields(self) -> dict[str, Any]:
        """The `error` of a message."""
        error: dict[str, Any] = {"code": int(self.code), "message": self.message}
        return error if self.data is None else {**error, "data": self.data}
