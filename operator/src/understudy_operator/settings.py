"""What one operator process is told: where it works, whom it configures, how patient it is.

Everything comes from `UNDERSTUDY_*` variables or the flags of `understudy operator`, and is read once.
"""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable."""


def _identity() -> str:
    """The host's name is the pod's; the rest tells processes of one host apart."""
    return f"{socket.gethostname()}-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one operator process runs.

    Attributes:
        namespace: Where the proxies and everything the operator publishes live.
        watch_namespaces: Namespaces whose objects are served; empty means all.
        prefix: Beginning of the name of everything the operator publishes, and of its Lease.
        proxy_selector: Labels of the proxy pods.
        admin_port: Where each proxy says which revision it runs.
        owner_deployment: Deployment that owns what is published, so that it goes when the Deployment does; "" for
            none, and then a deleted operator leaves the proxies their configuration.
        http_host: Where health and metrics are served.
        http_port: 0 takes any free one.
        quiet_seconds: A burst of changes is over when nothing changed for so long,
        patience_seconds: or so long after it began.
        resync_seconds: How often everything is read although nothing seemed to change.
        confirm_seconds: After this a proxy that does not run the newest revision is called lagging.
        reference_watches: How many Secrets and ConfigMaps are watched; the resync carries those beyond.
        lease_seconds: How long a leader that is gone keeps others waiting.
        renew_seconds: A leader that could not renew its Lease for so long stops writing. Less than `lease_seconds`.
        retry_seconds: How often the Lease is renewed or tried for.
        identity: Who this process is, among operators.
        kubeconfig: How to reach the cluster; None is from inside of it.
        log_level: One of `LOG_LEVELS`.
    """

    namespace: str
    watch_namespaces: tuple[str, ...] = ()
    prefix: str = "understudy"
    proxy_selector: str = "app.kubernetes.io/name=understudy,app.kubernetes.io/component=proxy"
    admin_port: int = 9090
    owner_deployment: str = ""
    http_host: str = "0.0.0.0"
    http_port: int = 8080
    quiet_seconds: float = 0.1
    patience_seconds: float = 1.0
    resync_seconds: float = 60.0
    confirm_seconds: float = 10.0
    reference_watches: int = 256
    lease_seconds: float = 15.0
    renew_seconds: float = 10.0
    retry_seconds: float = 2.0
    identity: str = field(default_factory=_identity)
    kubeconfig: str | None = None
    log_level: str = "info"

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            SettingsError: A value is out of its range, or two contradict each other.
        """
        for name in ("namespace", "prefix", "proxy_selector", "identity"):
            if not getattr(self, name):
                raise SettingsError(f"{variable(name)} must not be empty")
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise SettingsError(f"{variable(name)} must be more than 0")
        if not self.retry_seconds < self.renew_seconds < self.lease_seconds:
            raise SettingsError(
                f"{variable('retry_seconds')} < {variable('renew_seconds')} < {variable('lease_seconds')} must hold"
            )
        if self.log_level not in LOG_LEVELS:
            raise SettingsError(f"{variable('log_level')} must be one of {', '.join(LOG_LEVELS)}")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read all settings; an empty variable counts as unset.

        Raises:
            SettingsError: `UNDERSTUDY_NAMESPACE` is missing, or a value cannot be read.
        """
        given: dict[str, Any] = {}
        for name in (setting.name for setting in fields(cls)):
            if text := environ.get(variable(name)):
                given[name] = _parse(name, text)
        if "namespace" not in given:
            raise SettingsError(f"{variable('namespace')} is missing: the namespace that the proxies run in")
        if "kubeconfig" not in given and environ.get("KUBECONFIG"):
            given["kubeconfig"] = environ["KUBECONFIG"]
        return cls(**given)


_POSITIVE = tuple(name.name for name in fields(Settings) if name.name.endswith("_seconds"))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"UNDERSTUDY_{name.upper()}"


def split_names(text: str) -> tuple[str, ...]:
    """Names in a comma-separated list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "watch_namespaces": split_names,
    "admin_port": int,
    "http_port": int,
    "reference_watches": int,
    "log_level": str.lower,
    **dict.fromkeys(_POSITIVE, float),
}


def _parse(name: str, text: str) -> Any:
    try:
        return _PARSERS.get(name, str)(text)
    except ValueError as error:
        raise SettingsError(f"{variable(name)} is {text!r}, which is not a number") from error
