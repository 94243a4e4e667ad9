"""How one proxy process is set up: what its environment or its command line decides, before any configuration.

The configuration says who answers; these say where to listen, how much to take on and where the configuration comes
from. Every setting has a default that works, and an environment variable `UNDERSTUDY_` plus its name in upper case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

LogLevel = Literal["debug", "info", "warning", "error"]

PREFIX = "UNDERSTUDY_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class BadSetting(Exception):
    """A setting that cannot be used; the message names the variable and what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a proxy process. Sizes are bytes, times are seconds."""

    host: str = "::"
    """`::` means every interface, IPv4 included."""
    port: int = 8080
    admin_host: str = "::"
    admin_port: int = 9090
    workers: int = 1

    max_body_bytes: int = 32 * 1024 * 1024
    max_in_flight: int = 2048
    """Requests under way at once in one worker; more are answered 503 with Retry-After."""
    max_header_bytes: int = 32 * 1024
    header_seconds: float = 10.0
    """How long a client may take to send its request line and headers."""
    body_seconds: float = 60.0
    """How long a client may take to send its body."""
    idle_seconds: float = 75.0
    """How long an idle connection is kept; longer than the 60 s of common load balancers, so that they close first."""

    egress_proxy: bool = False
    """Whether providers are reached through what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say, which costs more CPU."""

    drain_delay_seconds: float = 5.0
    """After SIGTERM: not ready any more, but serving on while load balancers take note."""
    drain_deadline_seconds: float = 60.0
    """After that: how long running requests may take to end."""

    namespace: str = ""
    """Where the configuration's objects are; empty means the pod's own."""
    prefix: str = "understudy"
    """What the names of the configuration's objects begin with."""
    api: bool = True
    """Whether to watch the configuration through the Kubernetes API."""
    volume: Path | None = None
    """The folder into which the same objects are mounted."""

    default_namespace: str = ""
    """Where callers look for names when neither their identity nor the path pins a namespace."""
    log_level: LogLevel = "info"

    redis_url: str = field(default="", repr=False)
    """Where what is kept between requests is shared by all proxies: `redis://`, `rediss://` or `unix://`. Empty: each
    worker keeps its own in memory."""

    internal_secret: str = field(default="", repr=False)
    """What opens `/internal/llm`; several between commas or line breaks are all valid. Empty: it stays closed."""
    internal_requests_per_minute: int = 10
    """Of each agent, in one worker; 0 means any number."""
    mcp_origins: str = ""
    """Origins of web pages that may ask `/mcp`, between commas or spaces, beside those of this machine; `*` is any."""

    mesh_registry_url: str = ""
    """The registry of a mesh of agents, in which this gateway registers. Empty: in none but its own."""
    mesh_host: str = ""
    """Where agents reach this gateway, a name or an address. Empty: where they ask it, or this machine."""
    mesh_port: int = 0
    """The port there; 0 means 80 with `mesh_host`, and this gateway's own without it."""
    mesh_peers: str = ""
    """A name behind which all pods are, this one among them: one of them keeps the registry. Empty: this pod does."""
    pod_ip: str = ""
    """This pod's own address there."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def near_host(self) -> str:
        """What listens at `host`, as programs of the same machine call it."""
        return "localhost" if self.host in _EVERY_INTERFACE else self.host

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """The defaults, with what `environ` sets; an empty variable counts as unset.

        Raises:
            BadSetting: a variable has a value that its setting cannot take.
        """
        given = {each.name: environ.get(PREFIX + each.name.upper(), "") for each in fields(cls)}
        return cls(**{name: _parse(cls, name, text) for name, text in given.items() if text})


def _parse(settings: type[Settings], name: str, text: str) -> Any:
    default = getattr(settings(), name)
    variable = PREFIX + name.upper()
    if name == "volume":
        return Path(text)
    if isinstance(default, bool):
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise BadSetting(f"{variable} is {text!r}; it takes true or false")
    if isinstance(default, (int, float)):
        try:
            return type(default)(text)
        except ValueError as error:
            kind = "a whole number" if isinstance(default, int) else "a number of seconds"
            raise BadSetting(f"{variable} is {text!r}; it takes {kind}{_hint(text)}") from error
    return text


def _hint(text: str) -> str:
    """For a Service named `understudy`, Kubernetes sets UNDERSTUDY_PORT in every pod of its namespace."""
    linked = text.startswith(("tcp://", "udp://"))
    return ". Kubernetes set it for a Service of that name: give the pod enableServiceLinks: false" if linked else ""


_AT_LEAST_ONE = ("workers", "max_body_bytes", "max_in_flight", "max_header_bytes")
_PORTS = ("port", "admin_port", "mesh_port")
_MAX_WORKERS = 64
_EVERY_INTERFACE = frozenset({"", "::", "*", "0.0.0.0"})
_REDIS_URLS = ("redis://", "rediss://", "unix://")


def _check(settings: Settings) -> None:
    for name in _AT_LEAST_ONE:
        if getattr(settings, name) < 1:
            raise BadSetting(f"{PREFIX}{name.upper()} is {getattr(settings, name)}; it takes 1 or more")
    if settings.internal_requests_per_minute < 0:
        raise BadSetting(
            f"{PREFIX}INTERNAL_REQUESTS_PER_MINUTE is {settings.internal_requests_per_minute}; it takes 0 (any number) "
            "or more"
        )
    if settings.redis_url and not settings.redis_url.startswith(_REDIS_URLS):
        # Not repeated: it may hold a password.
        raise BadSetting(f"{PREFIX}REDIS_URL takes an address that begins with {' or '.join(_REDIS_URLS)}")
    for name in _PORTS:
        if not 0 <= getattr(settings, name) <= 65535:
            raise BadSetting(f"{PREFIX}{name.upper()} is {getattr(settings, name)}; it takes 0 (any free) to 65535")
    _check_others(settings)


def _check_others(settings: Settings) -> None:
    for each in fields(settings):
        if each.name.endswith("_seconds") and not 0 <= getattr(settings, each.name) < float("inf"):
            raise BadSetting(f"{PREFIX}{each.name.upper()} takes a number of seconds, 0 or more")
    if settings.mesh_registry_url and not settings.mesh_registry_url.startswith(("http://", "https://")):
        raise BadSetting(f"{PREFIX}MESH_REGISTRY_URL is {settings.mesh_registry_url!r}; it takes http(s)://HOST:PORT")
    if settings.workers > _MAX_WORKERS:
        raise BadSetting(f"{PREFIX}WORKERS is {settings.workers}; it takes {_MAX_WORKERS} or less")
    if settings.log_level not in get_args(LogLevel):
        raise BadSetting(f"{PREFIX}LOG_LEVEL is {settings.log_level!r}; it takes {', '.join(get_args(LogLevel))}")
