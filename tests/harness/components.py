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
_OURS = frozenset(path.name for path in (_SOURCES / "cmd").iterdir())
# Programs that are built as they are published: the package, and the version that the tests were written with.
_PUBLISHED = {
    "helm": ("helm.sh/helm/v3/cmd/helm", "v3.22.0"),
    "coredns": ("github.com/coredns/coredns", "v1.15.0"),
    "kubeconform": ("github.com/yannh/kubeconform/cmd/kubeconform", "v0.8.0"),
}
_VERSION = "k8s.io/component-base/version"
_LDFLAGS = f"-s -w -X {_VERSION}.gitVersion={KUBERNETES} -X {_VERSION}.gitMajor=1 -X {_VERSION}.gitMinor=34"
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
    return next((path for path in [*places, _cached(name)] if os.access(path, os.X_OK)), None)


def _cached(name: str) -> Path:
    if name in _PUBLISHED:
        return cache_folder() / f"{name}-{_PUBLISHED[name][1]}" / name
    key = _sources_key(name) if name in _OURS else "unknown"
    return cache_folder() / f"kubernetes-{KUBERNETES}" / f"{name}-{key}" / name


def _sources_key(name: str) -> str:
    digest = hashlib.sha256(_LDFLAGS.encode())
    for path in (_SOURCES / "go.mod", _SOURCES / "cmd" / name / "main.go"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _build(name: str) -> Path:
    go = _go(name)
    target = _cached(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    say(f"building {name} (once; minutes where nothing of it was built before)")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        _run_go(name, go, Path(folder))
        (Path(folder) / name).replace(target)
    say(f"built {name} in {time.monotonic() - began:.0f} s")
    return target


def _run_go(name: str, go: str, folder: Path) -> None:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOBIN": str(folder)}
    flags = ["-trimpath", "-buildvcs=false", "-ldflags"]
    if name in _PUBLISHED:
        argv = [go, "install", *flags, "-s -w", "@".join(_PUBLISHED[name])]
    else:
        argv = [go, "build", *flags, _LDFLAGS, "-o", str(folder / name), f"./cmd/{name}"]
    try:
        done = subprocess.run(
            argv, cwd=_SOURCES, env=environment, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"{name} {_version(name)}: Go did not build it within {_BUILD_SECONDS // 60} min") from None
    if done.returncode != 0:
        because = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Missing(f"{name} {_version(name)}: Go could not build it: {because}")


def _go(name: str) -> str:
    """The Go command.

    Raises:
        Missing: There is none, it is too old, or `name` is not a program that can be built.
    """
    if name not in _OURS | _PUBLISHED.keys():
        raise Missing(f"{name}: not a program that this repository builds; put it into KUBEBUILDER_ASSETS")
    how = f"install Go {_GO_NEEDED[0]}.{_GO_NEEDED[1]} or newer, or put {name} into the folder KUBEBUILDER_ASSETS names"
    go = shutil.which("go")
    if go is None:
        raise Missing(f"{name} {_version(name)} is not here and there is no Go to build it with: {how}")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"go(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < _GO_NEEDED:
        raise Missing(f"{name} {_version(name)} is not here and Go is too old to build it ({said.strip()}): {how}")
    return go


def _version(name: str) -> str:
    return _PUBLISHED[name][1] if name in _PUBLISHED else KUBERNETES


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
