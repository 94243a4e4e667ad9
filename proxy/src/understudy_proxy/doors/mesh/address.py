"""Where agents reach this gateway: as a setting says, or where whoever asks has reached it."""

import re
from dataclasses import dataclass

from understudy_proxy.doors.door import Request

_HOST = re.compile(r"(\[(?P<six>[0-9A-Fa-f:.]{2,64})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(:(?P<port>\d{1,5}))?")
_HTTP = 80


@dataclass(frozen=True, slots=True)
class Address:
    """A host, without brackets, and a port."""

    host: str
    port: int


def address_of(request: Request) -> Address:
    """Where the client of `request` found the gateway."""
    found = _HOST.fullmatch(request.headers.get("host", ""))
    if found is None:
        return Address("localhost", _HTTP)
    port = int(found["port"] or _HTTP)
    return Address(found["six"] or found["name"], port if 0 < port <= 65535 else _HTTP)
