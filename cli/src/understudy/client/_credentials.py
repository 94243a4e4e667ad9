"""How the client says who calls: an API key, or a ServiceAccount token that the kubelet keeps fresh.

Only a token made for gateways is taken from a pod (a projected volume, audience `understudy`). The token at
/var/run/secrets/kubernetes.io/serviceaccount is a key to the API server, and is handed to nobody.
"""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Protocol

from understudy.client._errors import ConfigurationError

PROJECTED_TOKEN = "/var/run/secrets/tokens/understudy"  # noqa: S105 - where it is, not what it is
_MAX_TOKEN_BYTES = 64 * 1024


class Credential(Protocol):
    """What goes into the Authorization header."""

    def bearer(self) -> str:
        """The token for a request that is made now; "" for none."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that does not change; "" for none."""

    key: str = field(repr=False)

    def bearer(self) -> str:
        """The key."""
        return self.key


class TokenFile:
    """A token in a file that somebody else renews: read again whenever the file has changed."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._seen: tuple[int, int, int] | None = None
        self._token = ""
        self._lock = Lock()

    def bearer(self) -> str:
        """The token as it is now.

        Raises:
            ConfigurationError: the file cannot be read, or holds nothing that could be a token.
        """
        with self._lock:
            try:
                stat = self._path.stat()
                seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                if seen != self._seen:
                    self._token = self._read()
                    self._seen = seen
            except OSError as error:
                raise ConfigurationError(
                    f"the token file {self._path} cannot be read: {error.strerror or error}"
                ) from error
            return self._token

    def _read(self) -> str:
        with self._path.open("rb") as file:
            content = file.read(_MAX_TOKEN_BYTES + 1)
        token = content.decode("ascii", "replace").strip()
        if not token or len(content) > _MAX_TOKEN_BYTES or not is_header_safe(token):
            raise ConfigurationError(f"the token file {self._path} holds no token")
        return token


def is_header_safe(text: str) -> bool:
    """Whether a header can carry the text."""
    return text.isascii() and text.isprintable()
