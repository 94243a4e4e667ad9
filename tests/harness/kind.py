"""The end-to-end tests' cluster where Docker is: one made by kind, for the life of a run."""

import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from harness import components
from harness.components import KUBERNETES
from harness.helm import Helm
from harness.images import BuildError, Image, short_id
from harness.kubectl import Kubectl
from harness.missing import Missing

PYTHON_IMAGE = "python:3.13-slim"
_READY = "180s"
_COMMAND_SECONDS = 15 * 60


class KindCluster:
    """A cluster in Docker, with the interface of `harness.node.Node`.

    Attributes:
        kubeconfig: A kubeconfig file of the administrator.
        kubectl: kubectl as the administrator.
        helm: helm as the administrator.
        machine_address: Where pods reach what listens on every address of this machine (on Linux).
    """

    def __init__(self) -> None:
        """See what is needed; nothing runs before entering.

        Raises:
            Missing: Docker or kind is not here, or Docker does not answer.
        """
        for program in ("docker", "kind"):
            if shutil.which(program) is None:
                raise Missing(f"CLUSTER=kind needs {program}: install it, or run as root on Linux without CLUSTER")
        if _run("docker", "version").returncode != 0:
            raise Missing("CLUSTER=kind: Docker does not answer; start it")
        programs = components.find_or_build(("kubectl", "helm"))
        self.name = f"understudy-{secrets.token_hex(3)}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubectl = Kubectl(programs["kubectl"], kubeconfig=self.kubeconfig, cache=self.folder / "kubectl-cache")
        self.helm = Helm(programs["helm"], kubeconfig=self.kubeconfig, folder=self.folder / "helm")
        self.machine_address = ""

    def __enter__(self) -> Self:
        """Create the cluster, and wait until it is ready."""
        try:
            image = f"--image=kindest/node:{KUBERNETES}"
            _checked("kind", "create", "cluster", self._named(), image, f"--wait={_READY}", self._config())
            gateways = "{{range .IPAM.Config}}{{.Gateway}} {{end}}"
            said = _checked("docker", "network", "inspect", "kind", f"--format={gateways}").split()
            self.machine_address = next(address for address in said if "." in address)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Delete the cluster."""
        self.close()

    def close(self) -> None:
        """Delete the cluster and what belongs to it."""
        _run("kind", "delete", "cluster", self._named(), self._config())
        shutil.rmtree(self.folder, ignore_errors=True)

    def base_image(self) -> Image:
        """The public Python image, pulled by Docker and loaded."""
        _checked("docker", "pull", "--quiet", PYTHON_IMAGE)
        return self._loaded(PYTHON_IMAGE)

    def build_image(self, dockerfile: Path, *, target: str, repository: str) -> Image:
        """Build a target of a Dockerfile on its default base, load it, and name it by its content."""
        image_id = self.folder / "image-id"
        _checked(
            "docker",
            "build",
            f"--file={dockerfile}",
            f"--target={target}",
            f"--iidfile={image_id}",
            str(dockerfile.parent),
        )
        name = f"{repository}:{short_id(image_id.read_text())}"
        _checked("docker", "tag", image_id.read_text().strip(), name)
        return self._loaded(name)

    def _loaded(self, name: str) -> Image:
        archive = self.folder / f"{secrets.token_hex(4)}.tar"
        _checked("docker", "save", f"--output={archive}", name)
        _checked("kind", "load", "image-archive", self._named(), str(archive))
        return Image(name, archive)

    def _named(self) -> str:
        return f"--name={self.name}"

    def _config(self) -> str:
        return f"--kubeconfig={self.kubeconfig}"


def _checked(*command: str) -> str:
    done = _run(*command)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
