"""The seam between where a configuration comes from and what becomes of it.

There are three sources: the Kubernetes API with a mounted volume beside it (`published.py`), and files, which the
command line compiles by itself. All of them feed one sink, `loader.py`.
"""

from enum import StrEnum
from typing import Protocol

from understudy_api.config import Snapshot


class Origin(StrEnum):
    """Where a configuration came from, as `/config` shows it."""

    API = "api"
    VOLUME = "volume"
    FILES = "files"


class Sink(Protocol):
    """What a source tells."""

    async def offer(self, snapshot: Snapshot, *, origin: Origin) -> bool:
        """Serve `snapshot` from now on. False: it was refused, and the one before goes on serving."""

    def refuse(self, revision: str, message: str, *, origin: Origin) -> None:
        """There is a configuration that cannot even be read; the one before goes on serving."""

    def state(self, origin: Origin, state: str) -> None:
        """How the source fares, in a few words, for `/config`."""


class Source(Protocol):
    """Where configurations come from.

    With several workers each one runs a copy of its own, made by fork: a source binds nothing to an event loop and
    starts no thread before `run`.
    """

    async def run(self, sink: Sink) -> None:
        """Tell `sink` of each configuration until cancelled. Returning early means that none will follow."""
