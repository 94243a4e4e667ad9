"""Which cluster the end-to-end tests get: they should not know the difference."""

import os
from pathlib import Path
from typing import Protocol, Self

from harness.helm import Helm
from harness.images import Image
from harness.kind import KindCluster
from harness.kubectl import Kubectl
from harness.missing import Missing
from harness.node import Node


class Cluster(Protocol):
    """What every cluster of the tests can do.

    Attributes:
        kubeconfig: A kubeconfig file of the administrator.
        kubectl: kubectl as the administrator.
        helm: helm as the administrator.
        machine_address: Where pods reach what listens on this machine.
    """

    kubeconfig: Path
    kubectl: Kubectl
    helm: Helm
    machine_address: str

    def __enter__(self) -> Self:
        """Start it, and wait until pods can run and names resolve."""
        ...

    def __exit__(self, *error: object) -> None:
        """End it and remove what it made."""
        ...

    def base_image(self) -> Image:
        """An image with Python 3.11 or newer, loaded, for pods of the tests' own."""
        ...

    def build_image(self, dockerfile: Path, *, target: str, repository: str) -> Image:
        """Build a target of a Dockerfile whose base is the argument `BASE`, and load it."""
        ...


def new_cluster() -> Cluster:
    """The kind of cluster that `CLUSTER` names: `node` (the default) or `kind`.

    Raises:
        Missing: The machine lacks what it needs, or the name is neither.
    """
    kinds: dict[str, type[Node | KindCluster]] = {"node": Node, "kind": KindCluster}
    name = os.environ.get("CLUSTER") or "node"
    if name not in kinds:
        raise Missing(f"CLUSTER={name}: no such cluster; it is one of {', '.join(kinds)}")
    return kinds[name]()
