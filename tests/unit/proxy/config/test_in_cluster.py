"""Where a proxy looks for its configuration, from its settings and what its pod is given."""

from pathlib import Path

import pytest
from yarl import URL

from understudy_proxy.config.api_client import Access
from understudy_proxy.config.in_cluster import published
from understudy_proxy.settings import BadSetting, Settings

ENVIRON = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """What a pod finds of its ServiceAccount."""
    for name, text in (("token", "t"), ("ca.crt", "c"), ("namespace", "understudy\n")):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("environ", "server"),
    [
        pytest.param(ENVIRON, "https://10.96.0.1", id="IPv4"),
        pytest.param({**ENVIRON, "KUBERNETES_SERVICE_PORT": "6443"}, "https://10.96.0.1:6443", id="another port"),
        pytest.param({"KUBERNETES_SERVICE_HOST": "fd00::1"}, "https://[fd00::1]", id="IPv6"),
    ],
)
def test_a_pod_reaches_its_api_server(account: Path, environ: dict[str, str], server: str) -> None:
    """Address, token, authority and namespace are what every pod is given."""
    expected = Access(URL(server), account / "token", account / "ca.crt", "understudy")
    assert Access.in_pod(environ, account) == expected


@pytest.mark.parametrize(
    ("environ", "token"),
    [pytest.param({}, True, id="no pod"), pytest.param(ENVIRON, False, id="a pod without a token")],
)
def test_elsewhere_there_is_none(account: Path, environ: dict[str, str], *, token: bool) -> None:
    """A laptop, and a pod that mounts no token, have no API to ask."""
    if not token:
        (account / "token").unlink()
    assert Access.in_pod(environ, account) is None


@pytest.mark.parametrize(
    "settings", [pytest.param(Settings(), id="api on"), pytest.param(Settings(api=False), id="off")]
)
def test_says_when_there_is_nowhere_to_look(settings: Settings) -> None:
    """Neither a pod nor a volume: the message names what to set, and the command that runs from files."""
    with pytest.raises(BadSetting, match=r"UNDERSTUDY_VOLUME.*understudy serve"):
        published(settings, {})


def test_a_volume_alone_is_enough(tmp_path: Path) -> None:
    """Where a cluster forbids the API, the volume carries the configuration."""
    published(Settings(api=False, volume=tmp_path), ENVIRON)
