"""What compile says of each object: findings about fields, and the conditions made from them.

`Programmed` and `Ready` are not here: compile does not know what the proxies have loaded.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether something is out, or merely worth knowing."""

    ERROR = "Error"
    WARNING = "Warning"


class Reason(StrEnum):
    """Why, in one word, as conditions carry it."""

    ACCEPTED = "Accepted"
    RESOLVED_REFS = "ResolvedRefs"
    NOT_ACCEPTED = "NotAccepted"

    INVALID = "Invalid"
    PARTIALLY_INVALID = "PartiallyInvalid"
    UNSUPPORTED_VALUE = "UnsupportedValue"
    CONFLICTED = "Conflicted"

    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    KEY_NOT_FOUND = "KeyNotFound"
    INVALID_SECRET = "InvalidSecret"  # noqa: S105
    INVALID_CONFIG_MAP = "InvalidConfigMap"
    REF_NOT_PERMITTED = "RefNotPermitted"
    BACKEND_NOT_FOUND = "BackendNotFound"
    BACKEND_NOT_SERVED = "BackendNotServed"
    MODEL_NOT_FOUND = "ModelNotFound"
    MODEL_NOT_SUITABLE = "ModelNotSuitable"
    ROUTE_NOT_FOUND = "RouteNotFound"
    ROUTE_NOT_SERVED = "RouteNotServed"
    PERSONA_NOT_FOUND = "PersonaNotFound"
    PERSONA_NOT_SERVED = "PersonaNotServed"
    TOOL_NOT_FOUND = "ToolNotFound"
    TOOL_NOT_SERVED = "ToolNotServed"
    NO_BACKENDS = "NoBackends"

    DISCOVERY_FAILED = "DiscoveryFailed"
    DUPLICATE = "Duplicate"
    MODEL_NOT_LISTED = "ModelNotListed"
    NO_CREDENTIAL = "NoCredential"
    NOT_IN_EFFECT = "NotInEffect"
    SUSPICIOUS_ADDRESS = "SuspiciousAddress"
    TOO_MANY = "TooMany"
    UNREACHABLE = "Unreachable"


ABOUT_REFERENCES = frozenset(
    {
        Reason.SECRET_NOT_FOUND,
        Reason.CONFIG_MAP_NOT_FOUND,
        Reason.KEY_NOT_FOUND,
        Reason.INVALID_SECRET,
        Reason.INVALID_CONFIG_MAP,
        Reason.REF_NOT_PERMITTED,
        Reason.BACKEND_NOT_FOUND,
        Reason.BACKEND_NOT_SERVED,
        Reason.MODEL_NOT_FOUND,
        Reason.MODEL_NOT_SUITABLE,
        Reason.ROUTE_NOT_FOUND,
        Reason.ROUTE_NOT_SERVED,
        Reason.PERSONA_NOT_FOUND,
        Reason.PERSONA_NOT_SERVED,
        Reason.TOOL_NOT_FOUND,
        Reason.TOOL_NOT_SERVED,
        Reason.NO_BACKENDS,
    }
)
"""What ResolvedRefs speaks of; all else is Accepted's."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """Which object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """As people and messages write it: `LLMRoute ai/chat`."""
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def address(self) -> str:
        """The object among those of its kind, as the configuration keys providers: `ai/openai`."""
        return f"{self.namespace}/{self.name}"

    @property
    def target(self) -> str:
        """The object among routes and personas, as the configuration keys targets: `LLMRoute/ai/chat`."""
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one field; "" is the whole object."""

    severity: Severity
    reason: Reason
    field: str
    message: str

    def __str__(self) -> str:
        """As conditions show it."""
        return f"{self.field}: {self.message}" if self.field else self.message


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a condition says."""

    status: bool
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one object.

    Attributes:
        serving: It is part of the configuration and does what it is for; else nothing of it is served.
        degraded: It serves, but something of it is out.
        digest: Content hash of its part of the configuration; "" when it is not serving.
        findings: What was found, in the order in which it was looked at.
    """

    object: ObjectKey
    generation: int
    accepted: Outcome
    resolved_refs: Outcome
    serving: bool
    degraded: bool
    digest: str
    findings: tuple[Finding, ...]
