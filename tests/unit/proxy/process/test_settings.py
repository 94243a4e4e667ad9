"""Settings from the environment: every one of them, and every way to get one wrong."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from understudy_proxy.settings import BadSetting, Settings


def test_the_defaults_work() -> None:
    """Nothing has to be set."""
    assert Settings.from_environment({}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        pytest.param("UNDERSTUDY_PORT", "9000", "port", 9000, id="number"),
        pytest.param("UNDERSTUDY_DRAIN_DELAY_SECONDS", "0.5", "drain_delay_seconds", 0.5, id="seconds"),
        pytest.param("UNDERSTUDY_API", "off", "api", False, id="switch"),
        pytest.param("UNDERSTUDY_VOLUME", "/etc/understudy", "volume", Path("/etc/understudy"), id="path"),
        pytest.param("UNDERSTUDY_NAMESPACE", "ai", "namespace", "ai", id="text"),
        pytest.param("UNDERSTUDY_LOG_LEVEL", "warning", "log_level", "warning", id="choice"),
        pytest.param("UNDERSTUDY_DEFAULT_NAMESPACE", "", "default_namespace", "", id="empty is unset"),
        pytest.param("UNDERSTUDY_PORT", "", "port", 8080, id="an empty number is unset"),
    ],
)
def test_reads_the_environment(variable: str, text: str, field: str, value: object) -> None:
    """A variable is the field's name in upper case."""
    assert getattr(Settings.from_environment({variable: text}), field) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        pytest.param("UNDERSTUDY_PORT", "http", id="no number"),
        pytest.param("UNDERSTUDY_PORT", "70000", id="no port"),
        pytest.param("UNDERSTUDY_PORT", "-1", id="negative port"),
        pytest.param("UNDERSTUDY_API", "maybe", id="no switch"),
        pytest.param("UNDERSTUDY_WORKERS", "0", id="no workers"),
        pytest.param("UNDERSTUDY_WORKERS", "1000", id="too many workers"),
        pytest.param("UNDERSTUDY_MAX_BODY_BYTES", "0", id="no body"),
        pytest.param("UNDERSTUDY_DRAIN_DEADLINE_SECONDS", "-1", id="negative time"),
        pytest.param("UNDERSTUDY_DRAIN_DEADLINE_SECONDS", "nan", id="no time"),
        pytest.param("UNDERSTUDY_DRAIN_DEADLINE_SECONDS", "inf", id="endless time"),
        pytest.param("UNDERSTUDY_LOG_LEVEL", "loud", id="no level"),
    ],
)
def test_names_the_variable_that_is_wrong(variable: str, text: str) -> None:
    """The message names the variable, so that nobody has to look through a manifest."""
    with pytest.raises(BadSetting, match=variable):
        Settings.from_environment({variable: text})


def test_knows_whose_variable_that_is() -> None:
    """A Service named `understudy` puts its address where the port should be; the message says how to be rid of it."""
    with pytest.raises(BadSetting, match="enableServiceLinks: false"):
        Settings.from_environment({"UNDERSTUDY_PORT": "tcp://10.0.0.1:80"})


def test_every_setting_can_be_set() -> None:
    """No field is left out of the environment."""
    texts = {
        "volume": "/x",
        "api": "false",
        "egress_proxy": "true",
        "log_level": "debug",
        "redis_url": "redis://r",
        "mesh_registry_url": "http://registry:8000",
    }
    environ = {f"UNDERSTUDY_{field.name.upper()}": texts.get(field.name, "7") for field in fields(Settings)}
    settings = Settings.from_environment(environ)
    assert [field.name for field in fields(Settings) if getattr(settings, field.name) == field.default] == []


def test_holds_on_the_command_line_too() -> None:
    """However settings are made, they are checked."""
    with pytest.raises(BadSetting, match="UNDERSTUDY_WORKERS"):
        replace(Settings(), workers=0)
