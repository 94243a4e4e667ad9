"""Which changes of files are noticed, on a real file system."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.watching import Watch

PATIENCE_SECONDS = 10.0


def _edit(folder: Path) -> None:
    (folder / "a.yaml").write_text("longer than before")


def _edit_same_length(folder: Path) -> None:
    (folder / "a.yaml").write_text("other")
    os.utime(folder / "a.yaml", ns=(1, 1))


def _replace_by_one_of_the_same_age_and_length(folder: Path) -> None:
    beside = folder / "a.tmp"
    beside.write_text("other")
    before = (folder / "a.yaml").stat()
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
    beside.replace(folder / "a.yaml")


def _add(folder: Path) -> None:
    (folder / "b.yml").write_text("")


def _add_inside(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "b.json").write_text("{}")


def _remove(folder: Path) -> None:
    (folder / "a.yaml").unlink()


def _remove_folder(folder: Path) -> None:
    (folder / "a.yaml").unlink()
    (folder / "note.txt").unlink()
    folder.rmdir()


def _nothing(folder: Path) -> None:
    (folder / "a.yaml").read_text()


def _note(folder: Path) -> None:
    (folder / "note.txt").write_text("not YAML")


def _hidden(folder: Path) -> None:
    (folder / ".a.yaml.swp").write_text("")
    (folder / ".hidden.yaml").write_text("")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `a.yaml` and a file that is no YAML."""
    made = tmp_path / "folder"
    made.mkdir()
    (made / "a.yaml").write_text("first")
    (made / "note.txt").write_text("")
    return made


@pytest.mark.parametrize(
    "change",
    [
        _edit,
        _edit_same_length,
        _replace_by_one_of_the_same_age_and_length,
        _add,
        _add_inside,
        _remove,
        _remove_folder,
    ],
)
async def test_notices(folder: Path, change: Callable[[Path], None]) -> None:
    """A change of what would be read is noticed, once."""
    watch = Watch((str(folder),))
    change(folder)
    assert await watch.moved()
    assert not await watch.moved()


@pytest.mark.parametrize("change", [_nothing, _note, _hidden])
async def test_lets_pass(folder: Path, change: Callable[[Path], None]) -> None:
    """What would not be read may change."""
    watch = Watch((str(folder),))
    change(folder)
    assert not await watch.moved()


async def test_a_file_that_does_not_exist_yet(tmp_path: Path) -> None:
    """A file is followed by its name, whether it is there or not."""
    file = tmp_path / "later.yaml"
    watch = Watch((str(file),))
    file.write_text("")
    assert await watch.moved()
    file.unlink()
    assert await watch.moved()


async def test_waits_until_an_editor_is_done(folder: Path) -> None:
    """While a file is written to, it has not changed yet; at rest, it has."""
    watch = Watch((str(folder),))
    changed = asyncio.create_task(watch.changed())
    for number in range(10):
        (folder / "a.yaml").write_text("x" * number)
        await asyncio.sleep(0.02)
    assert not changed.done()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await changed
    assert not await watch.moved()


async def test_a_file_that_is_never_at_rest_keeps_nothing_waiting(folder: Path) -> None:
    """Somebody who writes all the time does not keep other files from being read."""
    watch = Watch((str(folder),))
    over = asyncio.Event()

    async def write_on() -> None:
        number = 0
        while not over.is_set():
            number += 1
            (folder / "a.yaml").write_text("x" * number)
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(write_on())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await watch.changed()
    over.set()
    await writing


async def test_without_paths_nothing_changes() -> None:
    """That is how not to watch."""
    assert not await Watch(()).moved()
