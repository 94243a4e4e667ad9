"""The addresses under `/_mock`, by which another program sees what a mock received and scripts its faults.

Open to everybody who can reach the mock: it listens on loopback unless told otherwise.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

import orjson
from aiohttp import web

from understudy.mock.faults import FaultError
from understudy.mock.records import Records
from understudy.mock.script import Script

PREFIX = "/_mock/"

_METHODS = {
    "requests": ("GET", "DELETE"),
    "stats": ("GET",),
    "faults": ("GET", "PUT", "DELETE"),
    "health": ("GET", "PUT"),
}


class Administered(Protocol):
    """What these addresses need of a mock."""

    health_status: int

    @property
    def records(self) -> Records:
        """What it received."""
        ...

    @property
    def script(self) -> Script:
        """The faults at work."""
        ...

    def set_faults(self, faults: list[str]) -> None:
        """Put a new script in place of the old one; raises FaultError and changes nothing if it cannot be read."""
        ...


class _BadInputError(ValueError):
    """A body that cannot be used; the message says what to send."""


def administer(mock: Administered, method: str, path: str, body: bytes) -> web.Response:
    """Answer a request for an admin address."""
    topic = path.removeprefix(PREFIX).strip("/")
    if topic not in _METHODS:
        known = ", ".join(PREFIX + name for name in _METHODS)
        return _json({"error": f"{path} does not exist; there are {known}"}, status=404)
    if method not in _METHODS[topic]:
        allowed = ", ".join(_METHODS[topic])
        return _json({"error": f"{path} takes {allowed}"}, status=405, headers={"allow": allowed})
    try:
        if method == "PUT":
            _put(mock, topic, body)
        elif method == "DELETE":
            _delete(mock, topic)
    except (FaultError, _BadInputError) as error:
        return _json({"error": str(error)}, status=400)
    return _json(_shown(mock, topic))


def _shown(mock: Administered, topic: str) -> Any:
    match topic:
        case "requests":
            return [recorded.shown() for recorded in mock.records.kept]
        case "stats":
            return asdict(mock.records.stats)
        case "faults":
            return [{"fault": line.fault.text, "seen": line.seen, "given": line.given} for line in mock.script.lines]
        case _:
            return {"status": mock.health_status}


def _put(mock: Administered, topic: str, body: bytes) -> None:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _BadInputError(f"the body is no JSON: {error}") from error
    if topic == "faults":
        if not isinstance(given, list) or not all(isinstance(fault, str) for fault in given):
            raise _BadInputError('the body has to be a list of faults, such as ["429;times=2", "delay:1s"]')
        mock.set_faults(given)
        return
    status = given.get("status") if isinstance(given, dict) else None
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise _BadInputError('the body has to be such as {"status": 503}, with a status from 200 to 599')
    mock.health_status = status


def _delete(mock: Administered, topic: str) -> None:
    if topic == "faults":
        mock.set_faults([])
    else:
        mock.records.clear()


def _json(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    # Not orjson: a header may hold bytes that are no UTF-8, and is to be shown all the same.
    return web.Response(
        text=json.dumps(content, indent=2) + "\n", status=status, headers=headers, content_type="application/json"
    )
