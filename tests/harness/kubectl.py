"""kubectl against one cluster, and the kubeconfig files it reads."""

import json
import subprocess
from pathlib import Path
from typing import Any

_APPLY_SECONDS = 180.0
"""For a thousand objects at once, on a slow machine."""


class KubectlError(Exception):
    """kubectl said no; the message is the command and what it wrote to standard error."""


class Kubectl:
    """kubectl bound to a kubeconfig; call it with the arguments a person would type.

    Its discovery cache is a folder of its own: the shared one goes by address, and test clusters reuse ports.
    """

    def __init__(self, program: Path, *, kubeconfig: Path, cache: Path) -> None:
        """Bind the program to a kubeconfig file and a cache folder."""
        self._prefix = (str(program), f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}")

    def __call__(self, *arguments: str, stdin: str | None = None, timeout_seconds: float = 60) -> str:
        """Run kubectl and return what it wrote to standard output.

        Raises:
            KubectlError: It failed, or did not end within `timeout_seconds`.
        """
        command = " ".join(("kubectl", *arguments))
        try:
            done = subprocess.run(
                [*self._prefix, *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KubectlError(f"{command}: no end within {timeout_seconds:g} s") from None
        if done.returncode != 0:
            raise KubectlError(f"{command}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *objects: dict[str, Any]) -> str:
        """Server-side apply objects, as field manager `kubectl`."""
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self("apply", "--server-side", "--filename=-", stdin=manifest, timeout_seconds=_APPLY_SECONDS)

    def get(self, *arguments: str) -> dict[str, Any]:
        """`kubectl get ... -o json`, parsed."""
        body: dict[str, Any] = json.loads(self("get", *arguments, "--output=json"))
        return body


def write_kubeconfig(path: Path, *, url: str, ca: Path, token: str) -> Path:
    """Write a kubeconfig with one cluster and one user who has a bearer token (JSON is YAML, too)."""
    cluster = {"server": url, "certificate-authority": str(ca)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2))
    return path
