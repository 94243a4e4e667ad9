"""What is known of a request when it ends: filled in by the request path, read by metrics and the access log."""

from dataclasses import dataclass
from typing import Protocol

from understudy_proxy.config.runtime import Candidate, RuntimeTarget


class TokenUsage(Protocol):
    """Tokens as the provider counted them."""

    @property
    def input(self) -> int:
        """Tokens read, cached ones among them."""

    @property
    def output(self) -> int:
        """Tokens written, reasoning among them."""

    @property
    def cached_input(self) -> int:
        """Of the input: read from a cache."""

    @property
    def cache_write(self) -> int:
        """Of the input: written to a cache."""

    @property
    def reasoning(self) -> int:
        """Of the output: thought, not said."""


@dataclass(slots=True)
class RequestRecord:
    """One request, from its first byte to its last. Times are monotonic seconds."""

    request_id: str
    started: float
    operation: str = "chat"
    """`gen_ai.operation.name`."""
    stream: bool = False
    status: int = 0
    """What the client got; 499 when it left first."""
    target: RuntimeTarget | None = None
    """None: the model's name led nowhere, or the request was refused before it was read."""
    candidate: Candidate | None = None
    """Who answered, or was tried last."""
    attempts: int = 0
    failovers: int = 0
    reason: str = ""
    """Why it was refused, or failed over: a word of a closed set, never free text."""
    first_token: float | None = None
    finished: float = 0.0
    usage: TokenUsage | None = None
    client_left: bool = False
    namespace: str | None = None
    """The caller's."""
    revision: str = ""
