"""The findings about one object, collected while it is compiled, and the verdict they amount to."""

from understudy_operator.compile.missing import Missing
from understudy_operator.compile.verdict import ABOUT_REFERENCES, Finding, ObjectKey, Outcome, Reason, Severity, Verdict

MAX_MESSAGE = 1024
"""Characters of a condition's message: enough for the first few findings, and bounded whatever users write."""
MAX_HINTS = 8
"""For one object: a hint takes about a millisecond, and an object may refer to a thousand things that are not there."""


class Report:
    """Collects the findings about one object while it is compiled."""

    def __init__(self, subject: ObjectKey, *, generation: int) -> None:
        self.subject = subject
        self.accepted = True
        self._generation = generation
        self._findings: dict[Finding, None] = {}  # as an ordered set
        self._hints_left = MAX_HINTS

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

    def unresolved(self, field: str, missing: Missing) -> None:
        """A reference leads nowhere; what hangs on it is out."""
        self.error(missing.reason, field, self.described(missing))

    def described(self, missing: Missing) -> str:
        """Why a reference leads nowhere, and what may have been meant while there is time to look."""
        hinted = bool(missing.wanted) and self._hints_left > 0
        self._hints_left -= hinted
        return f"{missing.message}{missing.hint()}" if hinted else missing.message

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
