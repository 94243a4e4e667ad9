"""Find the programs of a Kubernetes cluster, or build them once.

Looked for in this order: the folder that ``KUBEBUILDER_ASSETS`` names; the cache, keyed by version and by
what the build is made of; Go, which builds them from their own packages (``components/cmd``) into the cache.
The first build takes minutes; ``python -m harness.components NAME...`` shows its progress.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.cache import build_lock, cache_folder, say
from harness.missing import Missing

KUBERNETES = "v1.34.4"
API_SERVER = ("etcd", "kube-apiserver", "kubectl")
NODE = (
    *API_SERVER,
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "pause",
    "coredns",
    "helm",
)

_SOURCES = Path(__file__).parent / "components"
_MAJOR, _MINOR = KUBERNETES.removeprefix("v").split(".")[:2]


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How Go builds a program: a command of our module, or a published package at a version."""

    package: str
    version: str
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def published(self) -> bool:
        return not self.package.startswith("./")

    @property
    def ldflags(self) -> str:
        return " ".join(("-s -w", *(f"-X {name}={value}" for name, value in self.variables)))

    def key(self) -> str:
        """What the result depends on, as a short digest."""
        digest = hashlib.sha256(repr(self).encode())
        if not self.published:
            for path in (_SOURCES / "go.mod", _SOURCES / self.package / "main.go"):
                digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


_KUBERNETES_VERSION = tuple(
    (f"k8s.io/component-base/version.{name}", value)
    for name, value in (("gitVersion", KUBERNETES), ("gitMajor", _MAJOR), ("gitMinor", _MINOR))
)
# What `helm lint` and `helm template` take for the cluster's version where they ask none; without it, 1.20.
_HELM_VERSION = tuple(
    (f"helm.sh/helm/v3/pkg/{package}.k8sVersion{part}", value)
    for package in ("chartutil", "lint/rules")
    for part, value in (("Major", _MAJOR), ("Minor", _MINOR))
)
_RECIPES = {
    **{
        path.name: _Recipe(f"./cmd/{path.name}", KUBERNETES, _KUBERNETES_VERSION)
        for path in (_SOURCES / "cmd").iterdir()
    },
    "helm": _Recipe("helm.sh/helm/v3/cmd/helm", "v3.22.0", _HELM_VERSION),
    "coredns": _Recipe("github.com/coredns/coredns", "v1.15.0"),
}
# From 1.21 on, Go fetches the toolchain that go.mod asks for.
_GO_NEEDED = (1, 21)
_BUILD_SECONDS = 30 * 60


def find_or_build(names: Iterable[str]) -> dict[str, Path]:
    """The paths of the named programs, built where they are nowhere yet.

    Raises:
        Missing: A program is nowhere and Go is not there or cannot build it.
    """
    wanted = tuple(names)
    found = {name: path for name in wanted if (path := _find(name))}
    if len(found) < len(wanted):
        with build_lock():
            for name in wanted:
                if name not in found:
                    found[name] = _find(name) or _build(name)
    return found


def _find(name: str) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = [Path(assets) / name] if assets else []
    if name in _RECIPES:
        places.append(_cached(name, _RECIPES[name]))
    return next((path for path in places if os.access(path, os.X_OK)), None)


def _cached(name: str, recipe: _Recipe) -> Path:
    group = f"{name}-{recipe.version}" if recipe.published else f"kubernetes-{KUBERNETES}"
    return cache_folder() / group / f"{name}-{recipe.key()}" / name


def _build(name: str) -> Path:
    recipe = _RECIPES.get(name)
    if recipe is None:
        raise Missing(f"{name}: not a program that this repository builds; put it into KUBEBUILDER_ASSETS")
    wanted = f"{name} {recipe.version}" if recipe.published else f"{name} (Kubernetes {recipe.version})"
    go = _go(wanted)
    target = _cached(name, recipe)
    target.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    say(f"building {wanted}, once: minutes where nothing of it was built before")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        because = _run_go(go, recipe, Path(folder) / name)
        if because is not None:
            raise Missing(f"{wanted}: Go could not build it: {because}")
        (Path(folder) / name).replace(target)
    say(f"built {name} in {time.monotonic() - began:.0f} s")
    return target


def _run_go(go: str, recipe: _Recipe, target: Path) -> str | None:
    """Build `target`, or say in one line why that cannot be."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOBIN": str(target.parent)}
    flags = ["-trimpath", "-buildvcs=false", "-ldflags", recipe.ldflags]
    if recipe.published:
        argv = [go, "install", *flags, f"{recipe.package}@{recipe.version}"]
    else:
        argv = [go, "build", *flags, "-o", str(target), recipe.package]
    try:
        done = subprocess.run(
            argv, cwd=_SOURCES, env=environment, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end within {_BUILD_SECONDS // 60} min"
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or ["no message"])[-1]


def _go(wanted: str) -> str:
    """The Go command.

    Raises:
        Missing: There is none, or it is too old.
    """
    how = f"install Go {_GO_NEEDED[0]}.{_GO_NEEDED[1]} or newer, or put it into the folder KUBEBUILDER_ASSETS names"
    go = shutil.which("go")
    if go is None:
        raise Missing(f"{wanted} is not here and there is no Go to build it with: {how}")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"go(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < _GO_NEEDED:
        raise Missing(f"{wanted} is not here and Go is too old to build it ({said.strip()}): {how}")
    return go


def main(names: list[str]) -> int:
    """Find or build the named programs, and print their paths.

    What cannot be had is one line and, outside CI, no failure: the tests that need it skip with that line.
    """
    try:
        for path in find_or_build(names or API_SERVER).values():
            print(path)  # noqa: T201 - the command's result
    except Missing as missing:
        say(f"missing: {missing}")
        return 1 if os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
