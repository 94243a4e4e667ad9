"""`understudy proxy`: the same settings as options."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from understudy.commands.proxy import proxy
from understudy_proxy.listening import listen, port_of


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--port", "70000"], "70000 is not in the range", id="no port"),
        pytest.param(["--log-level", "loud"], "'loud' is not one of", id="no level"),
        pytest.param(["--no-api"], "there is nowhere to get a configuration from", id="no source"),
    ],
)
def test_says_what_is_wrong(arguments: list[str], said: str) -> None:
    """One line, and no traceback."""
    result = CliRunner(env={}).invoke(proxy, arguments)
    assert result.exit_code != 0
    assert said in result.output


def test_an_option_wins_over_the_environment(tmp_path: Path) -> None:
    """The port of the option is the one that is tried."""
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = port_of(taken)
        arguments = ["--host", "127.0.0.1", "--port", str(port), "--volume", str(tmp_path)]
        result = CliRunner(env={"UNDERSTUDY_PORT": "1"}).invoke(proxy, arguments)
    assert result.exit_code == 1
    assert f"127.0.0.1, port {port}: something else listens there" in result.output


def test_a_bad_variable_is_named() -> None:
    """What the environment says is checked as well."""
    result = CliRunner(env={"UNDERSTUDY_WORKERS": "many"}).invoke(proxy, [])
    assert result.exit_code == 1
    assert "UNDERSTUDY_WORKERS is 'many'; it takes a whole number" in result.output
