"""The cluster of the end-to-end tests is a whole one, and leaves the machine as it was."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.clusters import Cluster
from harness.images import Image
from harness.kubectl import KubectlError
from harness.node import Node
from harness.process import wait_until

PORT = 8000
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
DOCKERFILE = """
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
COPY greeting /opt/app/
FROM ${BASE} AS app
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip --version
COPY --from=build /opt/app /opt/app
"""
ASK_API = """
import pathlib, ssl, sys, urllib.error, urllib.request
account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
request = urllib.request.Request(
    "https://kubernetes.default/api/v1/namespaces/" + sys.argv[1] + "/configmaps",
    headers={"Authorization": "Bearer " + account.joinpath("token").read_text()},
)
context = ssl.create_default_context(cafile=account.joinpath("ca.crt"))
try:
    print(urllib.request.urlopen(request, context=context, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture(scope="session")
def image(node: Cluster) -> Image:
    """The local base image, loaded."""
    return node.base_image()


@pytest.fixture
def namespace(node: Cluster) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    node.kubectl("create", "namespace", name)
    yield name
    node.kubectl("delete", "namespace", name, "--wait=false")


def run_pod(node: Cluster, namespace: str, name: str, image: Image, *command: str, port: int | None = None) -> None:
    """Run a pod and, where it has a port, a Service of the same name; wait until it is ready."""
    container: dict[str, Any] = {
        "name": name,
        "image": image.name,
        "imagePullPolicy": "Never",
        "command": list(command),
    }
    if port is not None:
        container["readinessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    node.kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    if port is not None:
        service = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": port}]}
        node.kubectl.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})
    node.kubectl("wait", "--for=condition=Ready", f"pod/{name}", f"--namespace={namespace}", "--timeout=60s")


def said(node: Cluster, *command: str) -> str:
    """What kubectl says, or nothing while it fails: a pod that has just begun may not find its way yet."""
    try:
        return node.kubectl(*command).strip()
    except KubectlError:
        return ""


def server(greeting: str) -> tuple[str, ...]:
    """The command of a pod that serves a greeting at `/`."""
    return (
        "sh",
        "-c",
        f"mkdir /srv/www; echo {greeting} > /srv/www/index.html; cd /srv/www; python3 -m http.server {PORT}",
    )


def test_a_pod_runs_and_logs(node: Cluster, namespace: str, image: Image) -> None:
    """A pod from a local image runs, and its log can be read."""
    script = "import sys, time; print('Python', sys.version_info[:2] >= (3, 11), flush=True); time.sleep(600)"
    run_pod(node, namespace, "hello", image, "python3", "-c", script)

    def logged() -> bool:
        return said(node, "logs", "hello", f"--namespace={namespace}") == "Python True"

    wait_until(logged, within_seconds=20, what="the pod's line is in its log")


def test_a_service_answers_by_its_name(node: Cluster, namespace: str, image: Image) -> None:
    """A pod reaches a Service of its namespace by DNS name, short and full; exec shows the answer."""
    run_pod(node, namespace, "greeter", image, *server("good-day"), port=PORT)
    run_pod(node, namespace, "caller", image, "sleep", "600")
    for host in ("greeter", f"greeter.{namespace}.svc.cluster.local"):
        command = ("exec", "caller", f"--namespace={namespace}", "--", "python3", "-c", FETCH, f"http://{host}/")
        wait_until(lambda: said(node, *command) == "good-day", within_seconds=20, what=f"{host} answers")  # noqa: B023


def test_a_pods_service_account_is_subject_to_rbac(node: Cluster, namespace: str, image: Image) -> None:
    """The mounted token is refused until a Role allows what it asks for."""
    run_pod(node, namespace, "asker", image, "sleep", "600")
    command = ("exec", "asker", f"--namespace={namespace}", "--", "python3", "-c", ASK_API, namespace)
    wait_until(lambda: said(node, *command) == "403", within_seconds=20, what="the pod reaches the API server")
    where = f"--namespace={namespace}"
    node.kubectl("create", "role", "reader", "--verb=list", "--resource=configmaps", where)
    node.kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:default", where)
    wait_until(lambda: said(node, *command) == "200", within_seconds=20, what="the role binding counts")


def test_exec_gives_the_exit_status(node: Cluster, namespace: str, image: Image) -> None:
    """A command that fails in a pod is an error here, with what it said."""
    run_pod(node, namespace, "failing", image, "sleep", "600")
    with pytest.raises(KubectlError, match="no luck"):
        node.kubectl("exec", "failing", f"--namespace={namespace}", "--", "sh", "-c", "echo no luck >&2; exit 3")


def test_a_deployment_rolls(node: Cluster, namespace: str, image: Image) -> None:
    """The controllers are there: a Deployment gets its pods, and a restart replaces them all."""
    where = f"--namespace={namespace}"
    container = {"name": "main", "image": image.name, "imagePullPolicy": "Never", "command": ["sleep", "600"]}
    labels = {"app": "rolling"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "rolling", "namespace": namespace},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod},
    }

    def rolled_out() -> set[str]:
        node.kubectl("rollout", "status", "deployment/rolling", where, "--timeout=60s", timeout_seconds=70)
        pods = node.kubectl.get("pods", where, "--selector=app=rolling")["items"]
        return {item["metadata"]["name"] for item in pods if "deletionTimestamp" not in item["metadata"]}

    node.kubectl.apply(deployment)
    before = rolled_out()
    node.kubectl("rollout", "restart", "deployment/rolling", where)
    after = rolled_out()
    assert (len(before), len(after), before & after) == (2, 2, set())


def test_a_build_leaves_the_machines_settings_out(node: Cluster, namespace: str, tmp_path: Path) -> None:
    """An image built here has what its Dockerfile says, not how pip reached its index; its tag is its content."""
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(DOCKERFILE)
    (tmp_path / "greeting").write_text("built\n")
    repository = "localhost/harness/app"
    built = node.build_image(dockerfile, target="app", repository=repository)
    assert node.build_image(dockerfile, target="app", repository=repository).name == built.name

    run_pod(node, namespace, "built", built, "sleep", "600")
    command = ("exec", "built", f"--namespace={namespace}", "--", "sh", "-c")
    assert node.kubectl(*command, "cat /opt/app/greeting").strip() == "built"
    assert node.kubectl(*command, "test ! -s /etc/pip.conf && echo clean").strip() == "clean"

    (tmp_path / "greeting").write_text("built anew\n")
    assert node.build_image(dockerfile, target="app", repository=repository).name != built.name


class TestNode:
    """What only the node of our own promises."""

    @pytest.fixture(autouse=True)
    def _own_node(self, node: Cluster) -> None:
        if not isinstance(node, Node):
            pytest.skip("this cluster is another program's")

    def test_the_machine_and_the_pods_reach_one_another(self, node: Node, namespace: str, image: Image) -> None:
        """A Service's cluster IP answers to this machine; what listens here answers to a pod."""
        run_pod(node, namespace, "greeter", image, *server("from-a-pod"), port=PORT)
        cluster_ip = node.kubectl.get("service", "greeter", f"--namespace={namespace}")["spec"]["clusterIP"]

        def fetched() -> str:
            command = [sys.executable, "-c", FETCH, f"http://{cluster_ip}/"]
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

        wait_until(lambda: fetched() == "from-a-pod", within_seconds=20, what="the cluster IP answers")
        url = f"{node.apiserver.url}/version"
        insecure = "import ssl; ssl._create_default_https_context = ssl._create_unverified_context; "
        command = ("exec", "greeter", f"--namespace={namespace}", "--", "python3", "-c", insecure + FETCH, url)
        assert '"major": "1"' in node.kubectl(*command)

    def test_pods_go_on_without_the_api_server(self, node: Node, namespace: str, image: Image) -> None:
        """While the API server is gone a Service still answers; afterwards the node is Ready."""
        run_pod(node, namespace, "greeter", image, *server("still-here"), port=PORT)
        cluster_ip = node.kubectl.get("service", "greeter", f"--namespace={namespace}")["spec"]["clusterIP"]
        command = [sys.executable, "-c", FETCH, f"http://{cluster_ip}/"]

        def fetched() -> str:
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

        wait_until(lambda: fetched() == "still-here", within_seconds=20, what="the cluster IP answers")
        node.apiserver.stop()
        try:
            assert fetched() == "still-here"
        finally:
            node.apiserver.start()
        node.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s", timeout_seconds=70)

    @pytest.mark.parametrize(
        "end", [pytest.param(signal.SIGTERM, id="told to end"), pytest.param(signal.SIGKILL, id="killed")]
    )
    def test_it_leaves_the_machine_as_it_was(self, end: signal.Signals) -> None:
        """However the run of a second node ends, no process, mount, interface, rule or setting of it stays."""
        before = machine_state()
        with subprocess.Popen(
            [sys.executable, "-c", OWNER],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(harness.__file__).parent.parent)},
        ) as owner:
            assert owner.stdout is not None
            interface, *names = owner.stdout.readline().split()
            folders = [Path(name) for name in names]
            assert len(folders) == 2
            assert traces(folders)
            assert Path("/sys/class/net", interface).exists()
            owner.send_signal(end)
        if end is signal.SIGKILL:  # the next run tidies up what the kernel does not
            wait_until(lambda: not processes(folders), within_seconds=20, what="the node's processes are gone")
            with Node():
                pass
        assert traces(folders) == []
        assert [folder for folder in folders if folder.exists()] == []
        assert not Path("/sys/class/net", interface).exists()
        assert machine_state() == before


OWNER = """
import signal, sys
from harness.node import Node
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
with Node() as node:
    image = node.base_image()
    node.kubectl("run", "idle", f"--image={image.name}", "--image-pull-policy=Never", "--", "sleep", "600")
    node.kubectl("wait", "--for=condition=Ready", "pod/idle", "--timeout=60s", timeout_seconds=70)
    print(node.interface, node.folder, node.apiserver.folder, flush=True)
    signal.pause()
"""


def traces(folders: list[Path]) -> list[str]:
    """The processes, mounts and control groups of the nodes with these folders."""
    mounts = [line for line in read(Path("/proc/mounts")).splitlines() if any(path.name in line for path in folders)]
    cgroups = [str(path) for folder in folders for path in Path("/sys/fs/cgroup").glob(f"*/{folder.name}")]
    return [*processes(folders), *mounts, *cgroups]


def processes(folders: list[Path]) -> list[str]:
    """The processes whose command or control group speaks of one of the folders."""
    sources = [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/cgroup")]
    return [str(source) for source in sources if any(folder.name in read(source) for folder in folders)]


def read(path: Path) -> str:
    """A file of a process, or nothing once the process is gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def machine_state() -> dict[str, object]:
    """What a node could leave behind on a machine, without what belongs to other nodes by its name."""
    places = [Path("/run"), Path("/var/lib"), Path("/var/log"), Path("/opt"), Path("/etc/cni")]
    listings = [*places, Path("/sys/class/net"), Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu")]
    settings = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward")
    return {
        "files": sorted(str(path) for place in listings for path in place.glob("*") if "understudy" not in path.name),
        "settings": {name: Path("/proc/sys", name).read_text() for name in settings},
        "mounts": sorted(Path("/proc/mounts").read_text().splitlines()),
        "rules": subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout,
    }
