"""The cluster that the tests in this folder share: a node of our own, or kind's with `CLUSTER=kind`."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.clusters import Cluster, new_cluster
from harness.fixtures import mark_folder, skip_where_missing
from harness.installed import Gateway, install_quickstart

LAST = ("test_node.py", "test_outages.py")
"""They stop the API server, and for a minute and more after that Kubernetes' scheduler places no pod."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `e2e`, and put outages last."""
    mark_folder(items, Path(__file__).parent, "e2e", timeout_seconds=300)
    items.sort(key=lambda item: LAST.index(item.path.name) + 1 if item.path.name in LAST else 0)


@pytest.fixture(scope="session")
def node() -> Iterator[Cluster]:
    """A running cluster with one node, for the whole session."""
    with ExitStack() as running:
        with skip_where_missing():
            cluster = running.enter_context(new_cluster())
        yield cluster


@pytest.fixture(scope="session")
def gateway(node: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Understudy, installed by its charts from this checkout, with the quickstart applied."""
    return install_quickstart(node, tmp_path_factory.mktemp("quickstart"))
