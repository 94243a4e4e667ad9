"""Data folders that do not outlive the run that made them.

A run that is killed cannot tidy up, so every folder carries a lock that its owner holds while it lives;
the next run removes the folders whose lock is free.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

_LOCK_NAME = ".owner"
_MEMORY = Path("/dev/shm")
_MEMORY_NEEDED = 1 << 30


class OwnedFolder:
    """A temporary folder, locked by this process for as long as it exists."""

    def __init__(self, prefix: str, *, parent: Path) -> None:
        """Make the folder ``parent/prefix…``."""
        made = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=parent))
        self._lock = _locked(made)
        # Seen by `sweep` only from here on, when the lock is held.
        self.path = made.rename(made.with_name(made.name.removeprefix(".")))

    def remove(self) -> None:
        """Remove the folder and give up the lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _locked(folder: Path) -> IO[bytes]:
    lock = (folder / _LOCK_NAME).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def fast_parent() -> Path:
    """Memory where there is enough of it, so that etcd never waits for a disk; else the temporary folder."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _MEMORY_NEEDED:
        return _MEMORY
    return Path(tempfile.gettempdir())


def sweep(prefix: str, *, parent: Path, before: Callable[[Path], None] | None = None) -> None:
    """Remove the folders of runs that are gone.

    Args:
        prefix: The folders' common beginning.
        parent: Where they are.
        before: Called with each folder first, to undo what it records.
    """
    for folder in parent.glob(f"{prefix}*"):
        if not (folder / _LOCK_NAME).is_file() or folder.stat().st_uid != os.getuid():
            continue
        try:
            lock = _locked(folder)
        except OSError:
            continue
        with lock:
            if before is not None:
                before(folder)
            shutil.rmtree(folder, ignore_errors=True)
