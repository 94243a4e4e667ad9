"""The configuration as mounted files: how a proxy starts, and goes on, while the API server is away.

The kubelet writes a new folder, points the link `..data` to it in one step and then deletes the old folder. So the
link is read once, everything is read beneath what it pointed to, and a file that has gone meanwhile means: again. A
folder without that link (a bind mount, a laptop) works too; there the hash in the head tells a half-written one.
"""

from dataclasses import dataclass
from pathlib import Path

from understudy_api.config import Head, Snapshot, decode, read_head, shard_key
from understudy_api.config.shards import HEAD_KEY, NotWhole, Part

MAX_FILE_BYTES = 2 * 1024 * 1024
"""An object holds at most 1 MiB; a larger file is not ours."""
_LINK = "..data"
_TRIES = 5
"""The link moves once a minute at most; five moves while reading a few files do not happen by themselves."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells one state of the folder from another, cheaply."""

    folder: str
    """The name that the link pointed to; empty for a plain folder."""
    head: bytes


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder that holds the head and all shards as files."""

    path: Path

    def mark(self) -> Mark | None:
        """What the folder shows now; None while it has no head."""
        for _ in range(_TRIES):
            folder = self._folder()
            try:
                return Mark(folder=folder, head=_read(self.path / folder / HEAD_KEY))
            except FileNotFoundError:
                if folder == self._folder():
                    return None
        return None

    def load(self, mark: Mark) -> Snapshot:
        """Read what `mark` saw.

        Raises:
            NotWhole: the folder has moved on, or its files are not of one configuration (yet).
            ShardError: they are whole but cannot be used.
        """
        head = read_head(mark.head)
        return decode(head, lambda part, index: _shard(self.path / mark.folder, head, part, index))

    def _folder(self) -> str:
        try:
            return (self.path / _LINK).readlink().name
        except OSError:  # no link: a plain folder
            return ""


def _shard(folder: Path, head: Head, part: Part, index: int) -> bytes:
    name = shard_key(part, head.slot, index)
    try:
        return _read(folder / name)
    except FileNotFoundError as error:
        raise NotWhole(f"{name} is not in the volume, and revision {head.revision} needs it") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise NotWhole(f"{path.name} is larger than any object")
    return data
