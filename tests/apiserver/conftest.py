"""The real API server that the tests in this folder share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.apiserver import ApiServer
from harness.credentials import User
from harness.fixtures import mark_folder, skip_where_missing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `apiserver`."""
    mark_folder(items, Path(__file__).parent, "apiserver", timeout_seconds=120)


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServer]:
    """A running API server, one for each test process, with a user `alice` of group `developers`.

    A test that stops it starts it again. Objects are the tests' to name apart and to delete.
    """
    with skip_where_missing():
        server = ApiServer(users=[User("alice", ("developers",))])
    with server:
        yield server
