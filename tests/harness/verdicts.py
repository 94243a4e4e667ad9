"""Verdicts for tests of what is done with them."""

from understudy_operator.compile import Finding, ObjectKey, Outcome, Reason, Severity, Verdict

FINE = Outcome(status=True, reason=Reason.ACCEPTED, message="")
RESOLVED = Outcome(status=True, reason=Reason.RESOLVED_REFS, message="")


def serving(name: str = "chat", *, digest: str = "d1", generation: int = 1) -> Verdict:
    """An object without fault."""
    key = ObjectKey("LLMRoute", "ai", name)
    return Verdict(
        object=key,
        generation=generation,
        accepted=FINE,
        resolved_refs=RESOLVED,
        serving=True,
        degraded=False,
        digest=digest,
        findings=(),
    )


def degraded(name: str = "chat", *, digest: str = "d1") -> Verdict:
    """An object that serves with one of two backends."""
    finding = Finding(Severity.ERROR, Reason.BACKEND_NOT_FOUND, "spec.rules[0].backends[1]", "no LLMProvider ai/gone")
    return Verdict(
        object=ObjectKey("LLMRoute", "ai", name),
        generation=1,
        accepted=FINE,
        resolved_refs=Outcome(status=False, reason=Reason.BACKEND_NOT_FOUND, message=str(finding)),
        serving=True,
        degraded=True,
        digest=digest,
        findings=(finding,),
    )


def refused(name: str = "chat", *, message: str = "spec.rules: is required") -> Verdict:
    """An object that nothing of is served."""
    return Verdict(
        object=ObjectKey("LLMRoute", "ai", name),
        generation=1,
        accepted=Outcome(status=False, reason=Reason.INVALID, message=message),
        resolved_refs=Outcome(status=False, reason=Reason.NOT_ACCEPTED, message="not yet"),
        serving=False,
        degraded=False,
        digest="",
        findings=(Finding(Severity.ERROR, Reason.INVALID, "spec.rules", "is required"),),
    )


def unresolved(name: str = "chat") -> Verdict:
    """An object that is accepted and has nothing to serve."""
    return Verdict(
        object=ObjectKey("LLMRoute", "ai", name),
        generation=1,
        accepted=FINE,
        resolved_refs=Outcome(status=False, reason=Reason.NO_BACKENDS, message="no backend is left"),
        serving=False,
        degraded=False,
        digest="",
        findings=(),
    )
