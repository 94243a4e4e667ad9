"""The address of a shared store: taken, or refused before anybody is served, without a word of its password."""

import pytest

from understudy_proxy.config.source import Source
from understudy_proxy.process import run
from understudy_proxy.settings import BadSetting, Settings
from understudy_proxy.state.shared import shared_store

PASSWORD = "not-to-be-told"


class Silent:
    """A source that nobody comes to ask."""

    async def run(self, _sink: object) -> None:
        """Say nothing."""
        raise AssertionError("the process has begun")


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        pytest.param(f"redis://:{PASSWORD}@redis:port/0", "port", id="port"),
        pytest.param(f"redis://:{PASSWORD}@redis:99999/0", "port", id="no such port"),
        pytest.param(f"redis://:{PASSWORD}@redis:6379/0?{PASSWORD}=1", "option", id="option"),
        pytest.param(f"redis://:{PASSWORD}@[redis:6379/0", "host", id="host"),
    ],
)
def test_no_address(url: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The process says in a line what is wrong, and ends before it listens."""
    settings = Settings(redis_url=url)
    with pytest.raises(BadSetting, match=f"UNDERSTUDY_REDIS_URL .*{wrong}"):
        shared_store(settings)
    source: Source = Silent()
    assert 2 == run(settings, source)
    said = capsys.readouterr().err
    assert 1 == len(said.splitlines())
    assert PASSWORD not in said


@pytest.mark.parametrize(
    "url",
    ["redis://redis", "redis://user:pass@redis:6380/2", "rediss://redis?ssl_cert_reqs=none", "unix:///run/redis.sock"],
)
def test_an_address(url: str) -> None:
    """What Redis' own clients take is taken."""
    assert shared_store(Settings(redis_url=url)) is not None


def test_none() -> None:
    """Without the setting there is no shared store."""
    assert shared_store(Settings()) is None
