"""Tests before a real mesh: the published registry and the published SDK."""

from pathlib import Path

import pytest

from harness.fixtures import mark_folder, skip_where_missing
from harness.mesh.programs import registry_program
from harness.mesh.running import NOW, SEED
from harness.sdks import sdk_python

TEST_SECONDS = 180.0
"""Agents take seconds to start, and a registry takes its time to miss one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test has its bound without the environments' first making."""
    mark_folder(items, Path(__file__).parent, "compatibility", timeout_seconds=TEST_SECONDS)


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """Everything that is fetched once."""
    with skip_where_missing():
        registry_program()
        for name in (NOW, SEED):
            sdk_python(name)
