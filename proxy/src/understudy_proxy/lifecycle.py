"""Where the process stands between its start and its end, for whoever asks whether it is ready."""

from dataclasses import dataclass


@dataclass(slots=True)
class Lifecycle:
    """Written by `process.py`, read by the doors."""

    draining: bool = False
    """The process has been asked to end: it serves what comes, and wants nothing new."""
