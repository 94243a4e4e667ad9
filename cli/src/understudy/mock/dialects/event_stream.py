"""Frames of AWS's event stream encoding: `application/vnd.amazon.eventstream`.

Only what a mock sends: frames whose headers are strings. A frame is

    length of all, length of the headers, CRC-32 of these eight bytes: 4 bytes each, big-endian
    headers: length of the name (1 byte), name, type 7 (string), length of the value (2 bytes), value
    payload
    CRC-32 of all before it
"""

from collections.abc import Mapping
from struct import pack
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_STRING = 7
_AROUND = 16
"""Bytes of a frame besides its headers and its payload."""


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one frame."""
    encoded = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = pack(">II", len(encoded) + len(payload) + _AROUND, len(encoded))
    checked = prelude + pack(">I", crc32(prelude)) + encoded + payload
    return checked + pack(">I", crc32(checked))


def event(kind: str, payload: bytes) -> bytes:
    """Return the frame of an event whose payload is JSON."""
    return frame({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(kind: str, payload: bytes) -> bytes:
    """Return the frame of an exception that the service's model knows; its payload is JSON."""
    return frame({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload)


def error(code: str, message: str) -> bytes:
    """Return the frame of an error that the service's model does not know."""
    return frame({":error-code": code, ":error-message": message, ":message-type": "error"}, b"")


def _header(name: bytes, value: bytes) -> bytes:
    return pack(">B", len(name)) + name + pack(">BH", _STRING, len(value)) + value
