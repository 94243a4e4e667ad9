"""Where the client finds its gateway, and with what it signs in."""

import os
from pathlib import Path

import pytest

from understudy import ConfigurationError
from understudy.client._settings import Settings

KEY = "sk-not-to-be-shown"


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        pytest.param({}, None, "http://localhost:8080", id="on a laptop"),
        pytest.param({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, None, "http://understudy.understudy.svc", id="in a pod"),
        pytest.param(
            {"LLM_GATEWAY_URL": "http://gw", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, None, "http://gw", id="by variable"
        ),
        pytest.param({"LLM_GATEWAY_URL": "http://gw"}, "https://other", "https://other", id="as given"),
        pytest.param({"LLM_GATEWAY_URL": " http://gw/v1/ "}, None, "http://gw", id="as OpenAI's clients take it"),
        pytest.param({}, "http://gw/ns/team/v1", "http://gw/ns/team", id="with a namespace"),
        pytest.param({"LLM_GATEWAY_URL": ""}, None, "http://localhost:8080", id="an empty variable is none"),
    ],
)
def test_the_address(environment: dict[str, str], given: str | None, expected: str) -> None:
    """What is given, else the environment, else what is usual."""
    assert Settings.read(environment, url=given).url == expected


def test_the_numbers() -> None:
    """From the environment, unless given."""
    environment = {"LLM_GATEWAY_TIMEOUT": "30", "LLM_GATEWAY_RETRIES": "0"}
    read = Settings.read(environment)
    assert (read.timeout, read.retries) == (30.0, 0)
    given = Settings.read(environment, timeout=5, retries=4)
    assert (given.timeout, given.retries) == (5.0, 4)
    usual = Settings.read({})
    assert (usual.timeout, usual.retries) == (600.0, 2)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        pytest.param({"LLM_GATEWAY_URL": "gateway:8080"}, "URL must be http", id="no scheme"),
        pytest.param({"LLM_GATEWAY_URL": f"http://user:{KEY}@gw"}, "without user", id="a password in the URL"),
        pytest.param({"LLM_GATEWAY_TIMEOUT": "30s"}, "LLM_GATEWAY_TIMEOUT must be seconds", id="a unit"),
        pytest.param({"LLM_GATEWAY_TIMEOUT": "0"}, "must be more than 0 seconds", id="no time"),
        pytest.param({"LLM_GATEWAY_TIMEOUT": "nan"}, "must be more than 0 seconds", id="no number"),
        pytest.param({"LLM_GATEWAY_RETRIES": "many"}, "LLM_GATEWAY_RETRIES must be a whole number", id="a word"),
        pytest.param({"LLM_GATEWAY_RETRIES": "-1"}, "must be from 0 to 20", id="fewer than none"),
        pytest.param({"LLM_GATEWAY_API_KEY": f"{KEY}\nx"}, "characters that no header", id="a key of two lines"),
    ],
)
def test_what_cannot_be_is_said(environment: dict[str, str], said: str) -> None:
    """A sentence that names the setting, and never shows a key."""
    with pytest.raises(ConfigurationError) as raised:
        Settings.read(environment)
    assert said in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_key_signs_in_and_is_not_shown() -> None:
    """Given, else from the environment; an empty one says that there is none."""
    environment = {"LLM_GATEWAY_API_KEY": f" {KEY}\n"}
    read = Settings.read(environment)
    assert read.credential.bearer() == KEY
    assert KEY not in repr(read)
    assert Settings.read(environment, api_key="another").credential.bearer() == "another"
    assert Settings.read(environment, api_key="").credential.bearer() == ""


def test_a_token_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    """As the kubelet renews it: by a link that suddenly leads elsewhere."""
    for name in ("first", "second"):
        (tmp_path / name).write_text(f"token-{name}\n")
    link = tmp_path / "token"
    link.symlink_to("first")
    credential = Settings.read({"LLM_GATEWAY_API_KEY": KEY}, token_file=str(link)).credential
    assert [credential.bearer(), credential.bearer()] == ["token-first", "token-first"]
    (tmp_path / "next").symlink_to("second")
    os.replace(tmp_path / "next", link)  # noqa: PTH105 - as the kubelet does, in one step
    assert credential.bearer() == "token-second"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "cannot be read: No such file", id="no file"),
        pytest.param("", "holds no token", id="empty"),
        pytest.param("one\ntwo", "holds no token", id="two lines"),
        pytest.param("x" * 70_000, "holds no token", id="something else"),
    ],
)
def test_a_file_without_a_token_is_said(tmp_path: Path, content: str | None, said: str) -> None:
    """With its path, before anything is sent."""
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=said) as raised:
        Settings.read({}, token_file=str(path)).credential.bearer()
    assert str(path) in str(raised.value)


def test_one_way_to_sign_in() -> None:
    """Two are a mistake."""
    with pytest.raises(ConfigurationError, match="exclude each other"):
        Settings.read({}, api_key=KEY, token_file="/a")
