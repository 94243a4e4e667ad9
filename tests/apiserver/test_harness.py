"""The API server of the tests is a real one, and does as it is told."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from harness import folders
from harness.apiserver import PREFIX, ApiServer
from harness.components import KUBERNETES
from harness.credentials import User
from harness.kubectl import KubectlError
from harness.process import NotReady, wait_until

GROUP = "harness.example"
THING_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {"low": {"type": "integer"}, "high": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": "self.low <= self.high", "message": "low must not exceed high"}],
        },
    },
}
THING_CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"things.{GROUP}"},
    "spec": {
        "group": GROUP,
        "names": {"kind": "Thing", "plural": "things"},
        "scope": "Namespaced",
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": THING_SCHEMA}},
        ],
    },
}


def thing(*, low: int, high: int) -> dict[str, Any]:
    """A custom object with a name of its own."""
    name = f"thing-{uuid.uuid4().hex[:8]}"
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": f"{GROUP}/v1", "kind": "Thing", "metadata": metadata, "spec": {"low": low, "high": high}}


def config_map(**data: str) -> dict[str, Any]:
    """A ConfigMap with a name of its own."""
    metadata = {"name": f"map-{uuid.uuid4().hex[:8]}", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@pytest.fixture
def things(apiserver: ApiServer) -> None:
    """The custom resource definition of `Thing` is established."""
    apiserver.kubectl.apply(THING_CRD)
    apiserver.kubectl("wait", "--for=condition=Established", f"crd/things.{GROUP}", "--timeout=30s")


def test_it_is_the_version_that_was_asked_for(apiserver: ApiServer) -> None:
    """The server says the version that the harness names."""
    version = json.loads(apiserver.kubectl("version", "--output=json"))
    assert version["serverVersion"]["gitVersion"] == KUBERNETES


@pytest.mark.usefixtures("things")
def test_cel_rule_refuses_a_bad_object(apiserver: ApiServer) -> None:
    """A rule of a CRD is enforced, with the rule's own message."""
    apiserver.kubectl.apply(thing(low=1, high=2))
    with pytest.raises(KubectlError, match="low must not exceed high"):
        apiserver.kubectl.apply(thing(low=2, high=1))


def test_server_side_apply_knows_whose_a_field_is(apiserver: ApiServer) -> None:
    """A second manager gets a conflict that names the first."""
    applied = config_map(key="mine")
    apiserver.kubectl.apply(applied)
    applied["data"]["key"] = "yours"
    command = ("apply", "--server-side", "--field-manager=second", "--filename=-")
    with pytest.raises(KubectlError, match='conflict with "kubectl"'):
        apiserver.kubectl(*command, stdin=json.dumps(applied))


def test_subject_access_review_follows_rbac(apiserver: ApiServer) -> None:
    """What RBAC grants a user is allowed and nothing else."""
    name = f"reader-{uuid.uuid4().hex[:8]}"
    apiserver.kubectl("create", "role", name, "--verb=get", "--resource=configmaps")
    apiserver.kubectl("create", "rolebinding", name, f"--role={name}", "--user=bob")

    def allowed(verb: str) -> bool:
        attributes = {"namespace": "default", "verb": verb, "resource": "configmaps"}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": "bob", "resourceAttributes": attributes},
        }
        answer = apiserver.kubectl("create", "--filename=-", "--output=json", stdin=json.dumps(review))
        return bool(json.loads(answer)["status"]["allowed"])

    wait_until(lambda: allowed("get"), within_seconds=10, what="the role binding counts")
    assert not allowed("delete")


def test_named_users_are_who_they_say(apiserver: ApiServer) -> None:
    """A user's kubeconfig authenticates as that user, whom RBAC grants nothing."""
    with pytest.raises(KubectlError, match='User "alice" cannot list resource "secrets"'):
        apiserver.kubectl_of("alice")("get", "secrets")


def test_service_account_token_is_reviewed(apiserver: ApiServer) -> None:
    """A token from TokenRequest is the ServiceAccount's in TokenReview."""
    name = f"app-{uuid.uuid4().hex[:8]}"
    apiserver.kubectl("create", "serviceaccount", name)
    token = apiserver.kubectl("create", "token", name).strip()
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    answer = apiserver.kubectl("create", "--filename=-", "--output=json", stdin=json.dumps(review))
    assert json.loads(answer)["status"]["user"]["username"] == f"system:serviceaccount:default:{name}"


@pytest.mark.parametrize("end", [pytest.param(ApiServer.stop, id="stopped"), pytest.param(ApiServer.kill, id="killed")])
def test_it_comes_back_with_its_data(apiserver: ApiServer, end: Any) -> None:
    """Nothing answers while it is gone; then the same address, credentials and objects are back."""
    kept = config_map(key="kept")
    apiserver.kubectl.apply(kept)
    end(apiserver)
    try:
        with pytest.raises(KubectlError, match=r"was refused"):
            apiserver.kubectl("get", "configmaps")
    finally:
        apiserver.start()
    assert apiserver.kubectl.get("configmap", kept["metadata"]["name"])["data"] == {"key": "kept"}


def test_paused_it_hangs_and_then_goes_on(apiserver: ApiServer) -> None:
    """A paused server keeps a client waiting; resumed, it answers."""
    apiserver.pause()
    try:
        with pytest.raises(KubectlError, match="no end within 1 s"):
            apiserver.kubectl("get", "namespaces", timeout_seconds=1)
    finally:
        apiserver.resume()
    assert "default" in apiserver.kubectl("get", "namespaces")


def test_a_server_that_cannot_start_says_why(apiserver: ApiServer) -> None:
    """The error quotes the log of the program that ended."""
    del apiserver  # only so that what is missing is a skip
    server = ApiServer(users=[User('broken"name')])
    with pytest.raises(NotReady, match=r'(?s)ended before: .*kube-apiserver\.log.*bare \\?"'), server:
        pass
    assert not server.folder.exists()


OWNER = """
import sys
from harness.apiserver import ApiServer
with ApiServer() as server:
    print(server.server.pid, server.etcd.pid, server.folder, flush=True)
    sys.stdin.read()
"""


def test_it_ends_with_a_run_that_is_killed(apiserver: ApiServer) -> None:
    """Killed without a chance to tidy up, a run leaves no process, and the next run removes its folder."""
    del apiserver
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(folders.__file__).parent.parent)},
    ) as owner:
        assert owner.stdout is not None
        server_pid, etcd_pid, folder = owner.stdout.readline().split()
        owner.kill()
    pids = (server_pid, etcd_pid)
    wait_until(lambda: all(map(ended, pids)), within_seconds=10, what=f"processes {pids} are gone")
    folders.sweep(PREFIX, parent=Path(folder).parent)
    assert not Path(folder).exists()


def ended(pid: str) -> bool:
    """Whether no process has this id, or only its unread exit status is left."""
    status = Path("/proc", pid, "stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
