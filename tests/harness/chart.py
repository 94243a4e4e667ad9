"""Understudy itself, built from this checkout and installed by its charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cache import say
from harness.clusters import Cluster
from harness.helm import HelmError
from harness.kubectl import KubectlError

REPOSITORY = Path(__file__).parents[2]
_IMAGES = ("operator", "proxy")
_ROLLOUT_SECONDS = 180
_LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Release:
    """An installed Understudy.

    Attributes:
        name: The release, and the Service that answers requests.
        namespace: Where it is installed.
    """

    name: str = "understudy"
    namespace: str = "understudy-system"


def install_chart(cluster: Cluster, *, values: Mapping[str, str] | None = None) -> Release:
    """Build the images, load them, and install or upgrade both charts; returns when all pods are ready.

    Args:
        cluster: A running cluster.
        values: Values of `charts/understudy`, as `helm --set` takes them, for example `{"proxy.replicas": "3"}`.

    Raises:
        BuildError: An image could not be built.
        HelmError: A chart was refused, or its pods did not become ready.
    """
    release = Release()
    settings = ["--set=image.pullPolicy=Never"]
    for target in _IMAGES:
        image = cluster.build_image(
            REPOSITORY / "Dockerfile", target=target, repository=f"localhost/understudy/{target}"
        )
        repository, _, tag = image.name.rpartition(":")
        # As a string, because a tag may be made of digits alone.
        settings += [
            f"--set-string=image.{target}.{key}={value}" for key, value in (("repository", repository), ("tag", tag))
        ]
    say("installing the charts")
    settings += [f"--set={key}={value}" for key, value in (values or {}).items()]
    _upgrade(cluster, release, "understudy-crds", [])
    _upgrade(cluster, release, "understudy", settings)
    return release


def _upgrade(cluster: Cluster, release: Release, chart: str, settings: Sequence[str]) -> None:
    name = chart.replace("understudy", release.name)
    arguments = (
        "upgrade",
        "--install",
        name,
        str(REPOSITORY / "charts" / chart),
        f"--namespace={release.namespace}",
        "--create-namespace",
        "--wait",
        f"--timeout={_ROLLOUT_SECONDS}s",
        *settings,
    )
    try:
        cluster.helm(*arguments, timeout_seconds=_ROLLOUT_SECONDS + 30)
    except HelmError as error:
        raise HelmError(f"{error}\n{_pods(cluster, release)}") from None


def _pods(cluster: Cluster, release: Release) -> str:
    """What the pods of a release are doing, and the last that each of them said."""
    where = f"--namespace={release.namespace}"
    said = [cluster.kubectl("get", "pods", where)]
    for pod in cluster.kubectl("get", "pods", where, "--output=name").split():
        try:
            said += [f"{pod}:", cluster.kubectl("logs", pod, where, f"--tail={_LOG_LINES}")]
        except KubectlError as error:
            said.append(str(error))
    return "\n".join(said)
