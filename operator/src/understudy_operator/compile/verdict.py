"""What compile says of each object: findings about fields, and the conditions made from them.

`Programmed` and `Ready` are not here: compile does not know what the proxies have loaded.
"""

from dataclasses import dataclass
from enum import StrEnum

MAX_MESSAGE = 1024
"""Characters of a condition's message: enough for the first few findings, and bounded whatever users write."""


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

    DUPLICATE = "Duplicate"
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


class Report:
    """Collects the findings about one object while it is compiled."""

    def __init__(self, subject: ObjectKey, *, generation: int) -> None:
        self.subject = subject
        self.accepted = True
        self._generation = generation
        self._findings: dict[Finding, None] = {}  # as an ordered set

    def refuse(self, reason: Reason, field: str, message: str) -> None:
        """The object cannot be accepted, and nothing of it is served."""
        self.accepted = False
        self._add(Severity.ERROR, reason, field, message)

    def error(self, reason: Reason, field: str, message: str) -> None:
        """A part of the object is out; the rest goes on."""
        self._add(Severity.ERROR, reason, field, message)

    def warn(self, reason: Reason, field: str, message: str) -> None:
        """Nothing is out, but the author would want to know."""
        self._add(Severity.WARNING, reason, field, message)

    def why_not_served(self) -> str:
        """One clause for those that wanted to use the object."""
        first = next((finding for finding in self._findings if finding.severity is Severity.ERROR), None)
        return _shorten(f"{first.reason}: {first}" if first else "it has nothing to serve", limit=200)

    def verdict(self, *, digest: str) -> Verdict:
        """The verdict; a digest says that the object is served."""
        errors = [finding for finding in self._findings if finding.severity is Severity.ERROR]
        return Verdict(
            object=self.subject,
            generation=self._generation,
            accepted=self._accepted_outcome(),
            resolved_refs=self._resolved_refs_outcome(),
            serving=bool(digest),
            degraded=bool(digest and errors),
            digest=digest,
            findings=tuple(self._findings),
        )

    def _add(self, severity: Severity, reason: Reason, field: str, message: str) -> None:
        self._findings[Finding(severity, reason, field, message)] = None

    def _accepted_outcome(self) -> Outcome:
        """Without its broken part an object may still be accepted; the reason then says so, as Gateway API's does."""
        about = [finding for finding in self._findings if finding.reason not in ABOUT_REFERENCES]
        errors = [finding for finding in about if finding.severity is Severity.ERROR]
        reason = errors[0].reason if errors else Reason.ACCEPTED
        if self.accepted and errors and reason is not Reason.CONFLICTED:
            reason = Reason.PARTIALLY_INVALID
        return Outcome(status=self.accepted, reason=reason, message=_joined(about))

    def _resolved_refs_outcome(self) -> Outcome:
        about = [finding for finding in self._findings if finding.reason in ABOUT_REFERENCES]
        errors = [finding for finding in about if finding.severity is Severity.ERROR]
        if errors:
            return Outcome(status=False, reason=errors[0].reason, message=_joined(about))
        if not self.accepted:
            message = "references are resolved once the object is accepted"
            return Outcome(status=False, reason=Reason.NOT_ACCEPTED, message=message)
        return Outcome(status=True, reason=Reason.RESOLVED_REFS, message=_joined(about))


def _joined(findings: list[Finding]) -> str:
    """Errors first, each finding once, as many as fit, and how many did not."""
    ordered = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)
    message, shown = "", 0
    for finding in ordered:
        longer = f"{message}; {finding}" if message else _shorten(str(finding), limit=MAX_MESSAGE - 32)
        if len(longer) > MAX_MESSAGE - 32:  # leaves room to say how many more
            break
        message, shown = longer, shown + 1
    more = len(ordered) - shown
    return f"{message}; and {more} more" if more else message


def _shorten(text: str, *, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
