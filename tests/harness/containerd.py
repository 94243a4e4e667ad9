"""containerd inside a node's namespaces: the container runtime, its images and its pod network."""

import json
from pathlib import Path

from harness.namespaces import Namespaces, Network
from harness.packages import CNI_FOLDER
from harness.process import NotReady, Process, wait_until

SOCKET = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "localhost/pause:1"
_IMPORT_SECONDS = 300.0

# AppArmor profiles would have to be loaded into the machine's kernel, and lower OOM scores need a capability
# that a machine's container may lack.
_CONFIG = """\
version = 2
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  disable_apparmor = true
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{cni_programs}"
  conf_dir = "{cni_folder}"
"""


class Containerd:
    """The container runtime of one node, with the pause image in it."""

    def __init__(self, folder: Path, *, namespaces: Namespaces) -> None:
        """Describe it; `start` runs it.

        Args:
            folder: The node's data folder: configuration and log go there.
            namespaces: Where it runs.
        """
        self._folder = folder
        self._namespaces = namespaces
        self._process: Process | None = None

    def start(self, network: Network, *, pause_image: Path) -> None:
        """Start it with a pod network, and load the image that holds each pod's namespaces.

        Raises:
            NotReady: It did not answer within its bound.
        """
        cni = self._folder / "cni"
        cni.mkdir()
        (cni / "10-pods.conflist").write_text(json.dumps(_pod_network(network), indent=2))
        config = self._folder / "containerd.toml"
        config.write_text(_CONFIG.format(pause=PAUSE_IMAGE, cni_programs=CNI_FOLDER, cni_folder=cni))
        argv = self._namespaces.argv("containerd", f"--config={config}", "--log-level=warn")
        self._process = Process(argv, log=self._folder / "containerd.log")
        self._process.start()
        wait_until(self._answers, within_seconds=30, what="containerd answers", process=self._process)
        self.load_image(pause_image)

    def load_image(self, archive: Path) -> None:
        """Load an OCI archive; its images go by the names in it (`imagePullPolicy: Never`).

        Raises:
            NotReady: containerd refuses it; the message says why.
        """
        self._ctr("images", "import", str(archive))

    def close(self) -> None:
        """End it at once; its pods end with the namespaces."""
        if self._process is not None:
            self._process.kill()

    def _answers(self) -> bool:
        try:
            self._ctr("version")
        except NotReady:
            return False
        return True

    def _ctr(self, *arguments: str) -> None:
        self._namespaces.run(
            "ctr", f"--address={SOCKET}", "--namespace=k8s.io", *arguments, timeout_seconds=_IMPORT_SECONDS
        )


def _pod_network(network: Network) -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": "pods",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": network.pods}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]}
