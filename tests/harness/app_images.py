"""Images of apps that use the Python client, with the client of this checkout as pip installs it."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from harness.chart import REPOSITORY
from harness.clusters import Cluster
from harness.images import Image

DOCKERFILE = Path(__file__).parents[1] / "e2e" / "app" / "Dockerfile"
_WHEEL_SECONDS = 120


def build_app(cluster: Cluster, target: str, programs: Iterable[Path], *, folder: Path) -> Image:
    """Build a target of `tests/e2e/app/Dockerfile`, `app` or `agents`, with these programs at `/opt/app`.

    Args:
        cluster: Where the image is loaded.
        target: `app` has the extra `client`, `agents` the extra of that name.
        programs: Python files; a pod's arguments begin with one of them.
        folder: An empty one, for what goes into the image.
    """
    for each in (DOCKERFILE, *programs):
        shutil.copy(each, folder)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, f"--wheel-dir={folder}", str(REPOSITORY)], check=True, timeout=_WHEEL_SECONDS)
    return cluster.build_image(folder / DOCKERFILE.name, target=target, repository=f"localhost/understudy/{target}")
