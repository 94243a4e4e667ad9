"""`understudy operator` takes every setting as an option."""

import os
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import certifi
import pytest
from click.testing import CliRunner

from harness.kubectl import write_kubeconfig
from understudy.commands.operator import operator
from understudy_operator.settings import Settings

_CA = Path(certifi.where())


def _run(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the operator as its image does, to its end."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "KUBE"))}
    return subprocess.run(
        [sys.executable, "-m", "understudy_operator"],
        env=variables | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_setting_is_an_option() -> None:
    """What the environment can say, a flag can."""
    assert {option.name for option in operator.params} == {field.name for field in fields(Settings)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "UNDERSTUDY_NAMESPACE is missing", id="no namespace"),
        pytest.param(
            ["--namespace", "gateway", "--lease-seconds", "5"],
            "UNDERSTUDY_RENEW_SECONDS < UNDERSTUDY_LEASE_SECONDS must hold",
            id="times that contradict each other",
        ),
        pytest.param(
            ["--namespace", "gateway", "--resync-seconds", "0"], "0.0 is not in the range x>0", id="out of range"
        ),
    ],
)
def test_what_cannot_work_is_one_line(monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    """A wrong setting ends the command with what to do, and without a traceback."""
    monkeypatch.delenv("UNDERSTUDY_NAMESPACE", raising=False)
    result = CliRunner().invoke(operator, arguments)
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("environment", "code", "message"),
    [
        pytest.param({}, 2, "UNDERSTUDY_NAMESPACE is missing", id="no namespace"),
        pytest.param(
            {"UNDERSTUDY_NAMESPACE": "gateway", "UNDERSTUDY_KUBECONFIG": "/none"},
            1,
            "no way to the cluster: set UNDERSTUDY_KUBECONFIG, or run in a pod",
            id="no kubeconfig",
        ),
        pytest.param(
            {"UNDERSTUDY_NAMESPACE": "gateway", "UNDERSTUDY_KUBECONFIG": __file__},
            1,
            "is not a kubeconfig: ",
            id="not a kubeconfig",
        ),
    ],
)
def test_the_image_starts_it_from_variables_alone(environment: dict[str, str], code: int, message: str) -> None:
    """A process that cannot begin says why and ends, without a traceback."""
    done = _run(**environment)
    assert (done.returncode, message in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """Two programs on one port: the message names the setting."""
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", url="https://127.0.0.1:1", ca=_CA, token="t")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run(
            UNDERSTUDY_NAMESPACE="gateway",
            UNDERSTUDY_KUBECONFIG=str(kubeconfig),
            UNDERSTUDY_HTTP_HOST="127.0.0.1",
            UNDERSTUDY_HTTP_PORT=str(port),
        )
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
