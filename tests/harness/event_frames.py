"""Reads frames of AWS's event stream, and checks every length and checksum: written anew, not with our own decoder."""

from struct import unpack
from zlib import crc32

_PRELUDE = 12
_STRING = 7


def parsed_frames(content: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Return headers and payload of each frame; what is left after the last whole one is an error."""
    frames = []
    while content:
        total, length, checksum = unpack(">III", content[:_PRELUDE])
        assert checksum == crc32(content[:8])
        assert unpack(">I", content[total - 4 : total]) == (crc32(content[: total - 4]),)
        end = _PRELUDE + length
        frames.append((_headers(content[_PRELUDE:end]), content[end : total - 4]))
        content = content[total:]
    return frames


def _headers(content: bytes) -> dict[str, str]:
    headers = {}
    while content:
        named = 1 + content[0]
        kind, size = unpack(">BH", content[named : named + 3])
        assert kind == _STRING
        end = named + 3 + size
        headers[content[1:named].decode()] = content[named + 3 : end].decode()
        content = content[end:]
    return headers
