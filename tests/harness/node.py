"""A whole single-node Kubernetes: pods, Services, DNS, RBAC and ServiceAccount tokens, all real.

The control plane runs as plain processes of this machine; containerd, the kubelet and kube-proxy run in
namespaces of their own (``harness.namespaces``), which makes the node leave nothing behind. This machine
reaches pods and Services at their own addresses, and pods reach this machine at ``machine_address``.

Left out: enforcement of NetworkPolicy, load balancers, metrics-server, and any way from pods to the world
beyond this machine. Needs Linux and root; Debian's packages are installed where they are missing.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from harness import archive, components, dns, folders, images, packages
from harness.apiserver import ApiServer, Site
from harness.containerd import PAUSE_IMAGE, SOCKET, Containerd
from harness.credentials import User
from harness.helm import Helm
from harness.images import Image
from harness.missing import Missing
from harness.namespaces import Namespaces, Network, remove_cgroups, why_no_namespaces
from harness.process import Process, wait_until

PREFIX = "understudy-node-"
NAME = "node1"
_KUBELET = User(f"system:node:{NAME}", ("system:nodes",))
_SCHEDULER = User("system:kube-scheduler")
_PROXY = User("system:kube-proxy")


class Node:
    """A running node; a context manager.

    Entering returns when the node is Ready and its DNS service answers (about 10 s); leaving ends all of it.

    Attributes:
        apiserver: Its API server, to be stopped and started by tests, too.
        kubeconfig: A kubeconfig file of the administrator.
        kubectl: `kubectl(*arguments, stdin=None, timeout_seconds=60) -> str` as the administrator.
        helm: `helm(*arguments, timeout_seconds=300) -> str` as the administrator.
        machine_address: Where pods reach what listens on this machine (bind to it, or to every address).
        interface: This machine's network interface to the node.
        folder: Logs and data.
    """

    def __init__(self, *, users: Sequence[User] = ()) -> None:
        """See what is needed; nothing runs before `start` (or entering).

        Args:
            users: Who is known by token besides the administrator.

        Raises:
            Missing: The machine cannot have a node; the message says what it lacks.
        """
        _check_machine()
        packages.ensure(packages.NODE)
        self._programs = components.find_or_build(components.NODE)
        parent = Path(tempfile.gettempdir())
        folders.sweep(PREFIX, parent=parent, before=remove_cgroups)
        self._owned = folders.OwnedFolder(PREFIX, parent=parent)
        self.folder = self._owned.path
        self._users = users
        self._namespaces = Namespaces(self.folder, pause=self._programs["pause"])
        self._containerd = Containerd(self.folder, namespaces=self._namespaces)
        # What was started, to be ended the other way round.
        self._running = ExitStack()
        self._running.callback(self._owned.remove)

    def __enter__(self) -> Self:
        """Start, and wait until Ready."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End everything and remove the data."""
        self.close()

    def start(self) -> None:
        """Start everything and wait until pods can run and names resolve.

        Raises:
            NotReady: A part did not come up within its bound; the message quotes its log.
        """
        self._running.callback(self._namespaces.close)
        network = self._namespaces.start()
        self.machine_address, self.interface = network.machine, network.interface
        site = Site(address=network.machine, service_cidr=network.services, controllers=True)
        self.apiserver = ApiServer(users=[_KUBELET, _SCHEDULER, _PROXY, *self._users], site=site)
        self._running.callback(self.apiserver.close)
        self.kubeconfig, self.kubectl = self.apiserver.kubeconfig, self.apiserver.kubectl
        self.helm = Helm(self._programs["helm"], kubeconfig=self.kubeconfig, folder=self.folder / "helm")
        self.apiserver.start()
        self._start_control_plane()
        self._running.callback(self._containerd.close)
        self._containerd.start(network, pause_image=self._static_image("pause", PAUSE_IMAGE))
        self._start_kubelet(network)
        self._start_proxy(network)
        self._start_dns(network)

    def close(self) -> None:
        """End everything at once, pods included, and remove the data."""
        self._running.close()

    def load_image(self, archive: Path) -> None:
        """Load an OCI archive; pods use its images by name with `imagePullPolicy: Never`."""
        self._containerd.load_image(archive)

    def base_image(self) -> Image:
        """A small Debian with Python 3.11, loaded."""
        return self._loaded(images.base_image())

    def build_image(self, dockerfile: Path, *, target: str, repository: str) -> Image:
        """Build a target of a Dockerfile whose base is the argument `BASE` on the local base, and load it."""
        base = images.base_image()
        return self._loaded(images.build_image(dockerfile, target=target, repository=repository, base=base))

    def _loaded(self, image: Image) -> Image:
        self.load_image(image.archive)
        return image

    def _start_control_plane(self) -> None:
        manager = [
            f"--kubeconfig={self.kubeconfig}",
            f"--service-account-private-key-file={self.apiserver.service_account_key}",
            f"--root-ca-file={self.apiserver.ca}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        scheduler = [
            f"--kubeconfig={self.apiserver.kubeconfig_of(_SCHEDULER.name)}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        for name, arguments in (("kube-controller-manager", manager), ("kube-scheduler", scheduler)):
            self._run(name, [str(self._programs[name]), *arguments])

    def _start_kubelet(self, network: Network) -> None:
        config = self.folder / "kubelet.json"
        config.write_text(json.dumps(self._kubelet_config(network), indent=2))
        argv = self._namespaces.argv(
            str(self._programs["kubelet"]),
            f"--config={config}",
            f"--kubeconfig={self.apiserver.kubeconfig_of(_KUBELET.name)}",
            f"--hostname-override={NAME}",
            f"--node-ip={network.node}",
        )
        kubelet = self._run("kubelet", argv)
        wait_until(self._ready, within_seconds=60, what=f"the node {NAME} is Ready", process=kubelet)

    def _kubelet_config(self, network: Network) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": network.node,
            # Only this machine and the node's own pods reach it.
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self._namespaces.cgroup}",
            "containerRuntimeEndpoint": f"unix://{SOCKET}",
            "clusterDNS": [network.dns],
            "clusterDomain": "cluster.local",
            "resolvConf": "",
            "enforceNodeAllocatable": [],
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,
            "localStorageCapacityIsolation": False,
            "maxPods": 200,
            "volumePluginDir": str(self.folder / "volume-plugins"),
        }

    def _ready(self) -> bool:
        said = self.kubectl("get", "nodes", "--output=jsonpath={..conditions[?(@.type=='Ready')].status}")
        return said == "True"

    def _start_proxy(self, network: Network) -> None:
        argv = self._namespaces.argv(
            str(self._programs["kube-proxy"]),
            f"--kubeconfig={self.apiserver.kubeconfig_of(_PROXY.name)}",
            f"--hostname-override={NAME}",
            "--proxy-mode=iptables",
            f"--cluster-cidr={network.pods}",
            "--conntrack-max-per-core=0",
            "--iptables-min-sync-period=100ms",
        )
        self._run("kube-proxy", argv)

    def _start_dns(self, network: Network) -> None:
        self.load_image(self._static_image("coredns", dns.IMAGE))
        self.kubectl.apply(*dns.dns_objects(network.dns))
        self.kubectl(
            "rollout", "status", "deployment/coredns", "--namespace=kube-system", "--timeout=60s", timeout_seconds=70
        )

    def _run(self, name: str, argv: list[str]) -> Process:
        process = Process(argv, log=self.folder / f"{name}.log")
        self._running.callback(process.kill)
        process.start()
        return process

    def _static_image(self, program: str, name: str) -> Path:
        path = self.folder / f"{program}.tar"
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
        archive.write_static_image(path, program=self._programs[program], name=name, architecture=machine)
        return path


def _check_machine() -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Missing("a whole node needs Linux and root: run the tests so, or use CLUSTER=kind where Docker is")
    refused = why_no_namespaces(Path(tempfile.gettempdir()))
    if refused is not None:
        raise Missing(f"a whole node needs namespaces, mounts and overlayfs of its own, and here: {refused}")
