"""Whether files have changed, by looking at them again and again.

Looking needs nothing of the system but `stat`, and so notices what events miss: a file replaced by rename, a folder
made anew, the targets of symbolic links, network and container mounts. A look at a hundred files takes a millisecond.
"""

import asyncio
import os
import time

from understudy.manifests import files_in

POLL_SECONDS = 0.2
SETTLE_SECONDS = 0.1
"""How long files must stay as they are before they count as changed: editors write in several steps."""
_MOST_SETTLES = 20
"""A file that is written to all the time must not keep others from being read."""
_SHARE = 20
"""Looking takes at most this part of one core: many files are looked at less often."""

_Look = dict[str, tuple[int, int, int] | None]
"""Each file with what changes when its content does; None where it cannot be had."""


class Watch:
    """Some files and folders, and how they were when they were last taken note of."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        """Take note of how they are now. With no paths at all nothing ever changes."""
        self._paths = paths
        self._noted = _look(paths)
        self._pause = POLL_SECONDS

    async def moved(self) -> bool:
        """Whether they are not as they were; takes note of how they are now."""
        began = time.monotonic()
        now = await asyncio.to_thread(_look, self._paths)
        self._pause = max(POLL_SECONDS, _SHARE * (time.monotonic() - began))
        before, self._noted = self._noted, now
        return now != before

    async def changed(self) -> None:
        """Wait until they are not as they were, and have stayed so for a moment."""
        while not await self.moved():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(self._pause)
        for _ in range(_MOST_SETTLES):
            await asyncio.sleep(SETTLE_SECONDS)
            if not await self.moved():
                return


def _look(paths: tuple[str, ...]) -> _Look:
    return {name: _state(name) for path in paths for name in files_in(path)}


def _state(name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - a thousand times a second where there are many
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
