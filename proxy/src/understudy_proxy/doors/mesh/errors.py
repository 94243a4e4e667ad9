"""Errors as agents of a mesh read them."""

import time

import orjson

from understudy_proxy.doors.door import Refused
from understudy_proxy.mesh.telling import told_time


def mesh_errors(refused: Refused) -> bytes:
    """The body."""
    return orjson.dumps({"error": refused.message, "timestamp": told_time(time.time())})
