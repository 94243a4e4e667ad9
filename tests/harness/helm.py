"""helm against one cluster."""

import os
import subprocess
from pathlib import Path


class HelmError(Exception):
    """helm said no; the message is the command and what it wrote to standard error."""


class Helm:
    """helm bound to a kubeconfig, with caches and settings of its own; call it with its arguments."""

    def __init__(self, program: Path, *, kubeconfig: Path, folder: Path) -> None:
        """Bind the program to a kubeconfig file and a folder."""
        self._prefix = (str(program), f"--kubeconfig={kubeconfig}")
        homes = {f"HELM_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        self._environment = {**os.environ, **homes}

    def __call__(self, *arguments: str, timeout_seconds: float = 300) -> str:
        """Run helm and return what it wrote to standard output.

        Raises:
            HelmError: It failed, or did not end within `timeout_seconds`.
        """
        command = " ".join(("helm", *arguments))
        try:
            done = subprocess.run(
                [*self._prefix, *arguments],
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise HelmError(f"{command}: no end within {timeout_seconds:g} s") from None
        if done.returncode != 0:
            raise HelmError(f"{command}: {done.stderr.strip()}")
        return done.stdout
