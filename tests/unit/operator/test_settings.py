"""Settings come from variables, and what cannot work is refused with the variable's name."""

from dataclasses import fields

import pytest

from understudy_operator.settings import Settings, SettingsError, variable

MINIMAL = {"UNDERSTUDY_NAMESPACE": "gateway"}


def test_a_namespace_is_enough() -> None:
    """Everything else has a default."""
    settings = Settings.from_environment(MINIMAL)
    assert settings == Settings(namespace="gateway", identity=settings.identity)
    assert settings.identity != Settings(namespace="gateway").identity, "two processes of one host differ"


def test_every_setting_has_its_variable() -> None:
    """What the chart sets is what the process gets."""
    given = {
        "UNDERSTUDY_NAMESPACE": "gateway",
        "UNDERSTUDY_WATCH_NAMESPACES": "ai, lab,",
        "UNDERSTUDY_PREFIX": "gw",
        "UNDERSTUDY_PROXY_SELECTOR": "app=proxy",
        "UNDERSTUDY_ADMIN_PORT": "9191",
        "UNDERSTUDY_OWNER_DEPLOYMENT": "gw-operator",
        "UNDERSTUDY_HTTP_HOST": "::",
        "UNDERSTUDY_HTTP_PORT": "0",
        "UNDERSTUDY_QUIET_SECONDS": "0.2",
        "UNDERSTUDY_PATIENCE_SECONDS": "2",
        "UNDERSTUDY_RESYNC_SECONDS": "30",
        "UNDERSTUDY_CONFIRM_SECONDS": "5",
        "UNDERSTUDY_REFERENCE_WATCHES": "10",
        "UNDERSTUDY_LEASE_SECONDS": "6",
        "UNDERSTUDY_RENEW_SECONDS": "4",
        "UNDERSTUDY_RETRY_SECONDS": "1",
        "UNDERSTUDY_IDENTITY": "pod-1",
        "UNDERSTUDY_KUBECONFIG": "/kubeconfig",
        "UNDERSTUDY_LOG_LEVEL": "DEBUG",
    }
    assert Settings.from_environment(given) == Settings(
        namespace="gateway",
        watch_namespaces=("ai", "lab"),
        prefix="gw",
        proxy_selector="app=proxy",
        admin_port=9191,
        owner_deployment="gw-operator",
        http_host="::",
        http_port=0,
        quiet_seconds=0.2,
        patience_seconds=2.0,
        resync_seconds=30.0,
        confirm_seconds=5.0,
        reference_watches=10,
        lease_seconds=6.0,
        renew_seconds=4.0,
        retry_seconds=1.0,
        identity="pod-1",
        kubeconfig="/kubeconfig",
        log_level="debug",
    )
    assert given.keys() == {variable(field.name) for field in fields(Settings)}


def test_the_usual_kubeconfig_variable_works() -> None:
    """Ours wins over `KUBECONFIG`."""
    assert Settings.from_environment(MINIMAL | {"KUBECONFIG": "/a"}).kubeconfig == "/a"
    both = MINIMAL | {"KUBECONFIG": "/a", "UNDERSTUDY_KUBECONFIG": "/b"}
    assert Settings.from_environment(both).kubeconfig == "/b"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"UNDERSTUDY_NAMESPACE": ""}, "UNDERSTUDY_NAMESPACE is missing"),
        ({"UNDERSTUDY_RESYNC_SECONDS": "soon"}, "UNDERSTUDY_RESYNC_SECONDS is 'soon', which is not a number"),
        ({"UNDERSTUDY_ADMIN_PORT": "9.5"}, "UNDERSTUDY_ADMIN_PORT is '9.5', which is not a number"),
        ({"UNDERSTUDY_QUIET_SECONDS": "0"}, "UNDERSTUDY_QUIET_SECONDS must be more than 0"),
        ({"UNDERSTUDY_RENEW_SECONDS": "20"}, "UNDERSTUDY_RENEW_SECONDS < UNDERSTUDY_LEASE_SECONDS must hold"),
        ({"UNDERSTUDY_LOG_LEVEL": "loud"}, "UNDERSTUDY_LOG_LEVEL must be one of debug, info, warning, error"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, str], message: str) -> None:
    """One line that names the variable."""
    with pytest.raises(SettingsError, match=message):
        Settings.from_environment(MINIMAL | given)
