"""Where the registry and the agents are, and what they are told of who calls: only the gateway gets its credential."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from understudy.client._credentials import ApiKey
from understudy.client._settings import Settings

REGISTRY_VARIABLE = "MCP_MESH_REGISTRY_URL"
"""As the agents of a mesh know it; without it the gateway is the registry."""


class Addresses:
    """What is spoken to."""

    def __init__(self, environment: Mapping[str, str], *, registry: str | None, timeout: float | None) -> None:
        """The registry at that address, else the environment's, else the gateway.

        Raises:
            ConfigurationError: a value that cannot be one.
        """
        self.gateway = Settings.read(environment, timeout=timeout)
        url = registry or environment.get(REGISTRY_VARIABLE, "").strip() or self.gateway.url
        read = Settings.read(environment, url=url, api_key="", timeout=timeout)
        self.registry = self.gateway if read.url == self.gateway.url else read

    def agent(self, endpoint: str) -> Settings:
        """An agent, which may be the gateway itself."""
        own = _origin(endpoint) == _origin(self.gateway.url)
        credential = self.gateway.credential if own else ApiKey("")
        return replace(self.gateway, url=endpoint, credential=credential)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return (parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme))
