"""A real kube-apiserver with its etcd, for one test run.

Everything the API server itself does is real: CRD schemas with CEL rules, server-side apply, watch, status
subresources, RBAC, TokenRequest, TokenReview, SubjectAccessReview. What controllers do is not there: nothing
removes a deleted namespace, collects garbage, makes the ``default`` ServiceAccount, or runs a pod; for those
see ``harness.node``.

The methods block. Where an event loop must go on meanwhile, call them by ``asyncio.to_thread``.
"""

import http.client
import socket
import ssl
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness import components, folders
from harness.credentials import ADMIN, User, admin, service_account_key, token_file
from harness.kubectl import Kubectl, write_kubeconfig
from harness.process import Process, wait_until

PREFIX = "understudy-apiserver-"
READY_SECONDS = 60.0
_CLIENT_URL, _PEER_URL = "unix://etcd:1", "unix://etcd:2"


@dataclass(frozen=True, slots=True)
class Site:
    """Where an API server stands.

    Attributes:
        address: The address that it listens on.
        service_cidr: Where the cluster IPs of Services come from.
        controllers: Whether a controller-manager and a node belong to it. Without one there is no `default`
            ServiceAccount to demand of pods, and no address of the API server's own to publish.
    """

    address: str = "127.0.0.1"
    service_cidr: str = "10.96.0.0/16"
    controllers: bool = False


class ApiServer:
    """etcd and kube-apiserver, with ports and a data folder of their own; a context manager.

    Entering starts both and returns when the API server is ready (about 3 s); leaving ends both and removes
    the data. In between the API server can be stopped, killed, paused and started again: it keeps its
    port, certificate, tokens and data.

    Attributes:
        url: `https://127.0.0.1:PORT`, the same for the whole life.
        ca: The certificate (PEM) to verify `url` with.
        admin_token: The bearer token of a `system:masters` user.
        kubeconfig: A kubeconfig file of that user.
        kubectl: `kubectl(*arguments, stdin=None, timeout_seconds=60) -> str` as that user; also
            `kubectl.apply(*objects)` (server-side) and `kubectl.get(*arguments) -> dict`.
        folder: The data folder; `etcd.log` and `kube-apiserver.log` are in it.
    """

    def __init__(self, *, users: Sequence[User] = (), site: Site | None = None) -> None:
        """Prepare the folder and the port; nothing runs before `start` (or entering).

        Args:
            users: Who is known by token besides the administrator.
            site: Where it stands; by default alone, on loopback.

        Raises:
            Missing: etcd, kube-apiserver or kubectl is neither here nor can be built.
        """
        programs = components.find_or_build(components.API_SERVER)
        self._site = site or Site()
        folders.sweep(PREFIX, parent=folders.fast_parent())
        self._owned = folders.OwnedFolder(PREFIX, parent=folders.fast_parent())
        self.folder = self._owned.path
        self._reserved = _reserve_port(self._site.address)
        self.port: int = self._reserved.getsockname()[1]
        self.url = f"https://{self._site.address}:{self.port}"
        self.ca = self.folder / "certificates" / "apiserver.crt"
        self.service_account_key = self.folder / "service-accounts.pem"
        self._users = {user.name: user for user in (admin(), *users)}
        self._kubectl_program = programs["kubectl"]
        self._write_credentials()
        self.etcd = Process(self._etcd_argv(programs["etcd"]), log=self.folder / "etcd.log", folder=self.folder)
        self.server = Process(
            self._server_argv(programs["kube-apiserver"]), log=self.folder / "kube-apiserver.log", folder=self.folder
        )
        self.admin_token = self.token(ADMIN)
        self.kubeconfig = self.kubeconfig_of(ADMIN)
        self.kubectl = self.kubectl_of(ADMIN)

    def __enter__(self) -> Self:
        """Start, and wait until ready."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End both programs and remove their data."""
        self.close()

    def start(self) -> None:
        """Start what does not run (etcd, the API server), and wait until the API server is ready.

        Raises:
            NotReady: It ended, or was not ready within a minute; the message quotes its log.
        """
        self.etcd.start()
        self.server.start()
        wait_until(
            self._ready, within_seconds=READY_SECONDS, what=f"{self.url}/readyz answers 200", process=self.server
        )

    def stop(self) -> None:
        """End the API server; etcd and the data stay. Connections are refused.

        In good order that takes 1 s; where clients hold watches, which it would let run on for a minute,
        it is cut short after 3 s.
        """
        self.server.stop(grace_seconds=3)

    def kill(self) -> None:
        """End the API server as a crash does; etcd and the data stay. Connections are reset, then refused."""
        self.server.kill()

    def pause(self) -> None:
        """Freeze the API server: connections are accepted by the kernel and nothing answers."""
        self.server.pause()

    def resume(self) -> None:
        """Let a paused API server go on."""
        self.server.resume()

    def close(self) -> None:
        """End both programs at once and remove their data; the object cannot be used again."""
        self.server.kill()
        self.etcd.kill()
        self._reserved.close()
        self._owned.remove()

    def token(self, user: str) -> str:
        """The bearer token of a user given at construction, or of `admin`."""
        return self._users[user].token

    def kubeconfig_of(self, user: str) -> Path:
        """A kubeconfig file of a user given at construction, or of `admin`."""
        return write_kubeconfig(self.folder / f"kubeconfig-{user}", url=self.url, ca=self.ca, token=self.token(user))

    def kubectl_of(self, user: str) -> Kubectl:
        """Bind kubectl to a user given at construction, or as `admin`."""
        return Kubectl(self._kubectl_program, kubeconfig=self.kubeconfig_of(user), cache=self.folder / "kubectl-cache")

    def _ready(self) -> bool:
        if not self.ca.is_file():
            return False
        try:
            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection(self._site.address, self.port, timeout=5, context=context)
            with closing(connection):
                connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {self.admin_token}"})
                return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):  # not listening yet, or a certificate half written
            return False

    def _write_credentials(self) -> None:
        tokens = self.folder / "tokens.csv"
        for path, content in (
            (tokens, token_file(self._users.values())),
            (self.service_account_key, service_account_key()),
        ):
            path.touch(mode=0o600)
            path.write_text(content)

    def _etcd_argv(self, program: Path) -> list[str]:
        # Sockets in the folder instead of ports. etcd wants HOST:PORT in every address, so that is their name.
        return [
            str(program),
            "--name=etcd",
            "--data-dir=etcd",
            "--unsafe-no-fsync",
            f"--listen-client-urls={_CLIENT_URL}",
            f"--advertise-client-urls={_CLIENT_URL}",
            f"--listen-peer-urls={_PEER_URL}",
            f"--initial-advertise-peer-urls={_PEER_URL}",
            f"--initial-cluster=etcd={_PEER_URL}",
            # Alone, it has nobody to keep awake.
            "--heartbeat-interval=500",
            "--election-timeout=2500",
            "--log-level=warn",
        ]

    def _server_argv(self, program: Path) -> list[str]:
        argv = [
            str(program),
            f"--etcd-servers={_CLIENT_URL}",
            f"--bind-address={self._site.address}",
            f"--secure-port={self.port}",
            # The port stays reserved by a socket of ours while the API server is down.
            "--permit-port-sharing",
            f"--cert-dir={self.ca.parent}",
            f"--service-cluster-ip-range={self._site.service_cidr}",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=Node,RBAC",
            f"--service-account-key-file={self.service_account_key}",
            f"--service-account-signing-key-file={self.service_account_key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            "--profiling=false",
        ]
        if self._site.controllers:
            return [*argv, f"--advertise-address={self._site.address}"]
        return [*argv, "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"]


def _reserve_port(address: str) -> socket.socket:
    """Hold a free port without listening on it, so that nobody else gets it while the API server is down."""
    reserved = socket.socket()
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind((address, 0))
    except OSError:
        reserved.close()
        raise
    return reserved
