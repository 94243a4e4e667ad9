"""The matrix runs once for all tests that look at it, however many processes they are in."""

import asyncio
import fcntl
import json
from pathlib import Path

import pytest

from compatibility.matrix import Cell, run_matrix
from harness.fixtures import mark_folder, skip_where_missing

CELL_SECONDS = 30


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The bound of a test leaves the run itself out, which has bounds of its own."""
    mark_folder(items, Path(__file__).parent, "compatibility", timeout_seconds=CELL_SECONDS)


@pytest.fixture(scope="session")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[Cell, str]:
    """What each cell's user would complain of."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if folder.name.startswith("popen-") else folder
    kept = shared / "compatibility.json"
    with (shared / "compatibility.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with skip_where_missing():
                found = asyncio.run(run_matrix(tmp_path_factory.mktemp("compatibility")))
            kept.write_text(json.dumps([[*cell, complaint] for cell, complaint in found.items()]))
    return {(client, place, scenario): complaint for client, place, scenario, complaint in json.loads(kept.read_text())}
