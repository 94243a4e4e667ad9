"""What lint finds: a sentence about a field of an object, at a place in a file."""

from dataclasses import dataclass

from understudy.manifests import Manifest, Position
from understudy_operator.compile import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        position: Where to look.
        severity: Whether something would not be served, or is merely worth knowing.
        reason: One CamelCase word for programs: the operator's own, or one of lint's.
        message: A sentence.
        kind: Of the object, with `namespace` and `name`; all "" when it is about a file.
        namespace: See `kind`.
        name: See `kind`.
        field: The path of the field, or "".
    """

    position: Position
    severity: Severity
    reason: str
    message: str
    kind: str = ""
    namespace: str = ""
    name: str = ""
    field: str = ""

    def __str__(self) -> str:
        """Without the position and the severity: `LLMRoute ai/chat: spec.rules: is required`."""
        subject = f"{self.kind} {self.namespace}/{self.name}" if self.name else self.kind
        return ": ".join(part for part in (subject, self.field, self.message) if part)


def about(manifest: Manifest, field: str, severity: Severity, *, reason: str, message: str) -> Finding:
    """A finding about a field of an object."""
    return Finding(
        position=manifest.position_of(field),
        severity=severity,
        reason=reason,
        message=message,
        kind=manifest.kind,
        namespace=manifest.namespace,
        name=manifest.name,
        field=field,
    )
