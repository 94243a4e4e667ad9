"""What an object's status should say: decided from the verdict, how far the rollout is, and what it says now.

An object whose part of the configuration is what it was when it was last programmed keeps what it says of that, so that
one edit writes one status, and an operator that has just started writes none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from understudy_operator.compile import Severity, Verdict
from understudy_operator.rollout import Rollout

MAX_MESSAGE = 2048
MAX_NAMED_PODS = 3

Status = dict[str, Any]


class ConditionType(StrEnum):
    """The conditions of every kind, in the order in which they are written. All are positive: True is good."""

    ACCEPTED = "Accepted"
    RESOLVED_REFS = "ResolvedRefs"
    PROGRAMMED = "Programmed"
    READY = "Ready"


class ProgrammedReason(StrEnum):
    """Why an object is live on the fleet, or not."""

    PROGRAMMED = "Programmed"
    PENDING = "Pending"
    LAGGING = "Lagging"
    REJECTED = "Rejected"
    NO_PROXIES = "NoProxies"
    NOT_SERVED = "NotServed"
    TOO_LARGE = "TooLarge"
    NOT_PUBLISHED = "NotPublished"


class ReadyReason(StrEnum):
    """Why an object is ready; why it is not is said by the condition that it fails."""

    READY = "Ready"
    DEGRADED = "Degraded"


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The newest configuration could not be published, and the last good one serves."""

    reason: ProgrammedReason
    message: str


Programming = Rollout | Unpublished
"""What became of the newest configuration."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one condition says."""

    status: bool
    reason: str
    message: str


def desired_status(
    verdict: Verdict, programming: Programming, current: Mapping[str, Any] | None, *, now: str
) -> Status | None:
    """The status to write, or None when the object says it already.

    Args:
        verdict: What compile says of the object.
        programming: What became of the configuration that the verdict belongs to.
        current: The object's status as it is.
        now: The time, in RFC 3339, for conditions that flip.
    """
    current = current or {}
    before = {str(condition.get("type")): condition for condition in _conditions(current)}
    kept = _kept(verdict, current, before.get(ConditionType.PROGRAMMED))
    programmed = kept or _programmed(verdict, programming)
    statements = {
        ConditionType.ACCEPTED: Statement(verdict.accepted.status, verdict.accepted.reason, verdict.accepted.message),
        ConditionType.RESOLVED_REFS: Statement(
            verdict.resolved_refs.status, verdict.resolved_refs.reason, verdict.resolved_refs.message
        ),
        ConditionType.PROGRAMMED: programmed,
        ConditionType.READY: _ready(verdict, programmed),
    }
    status: Status = {
        "observedGeneration": verdict.generation,
        "conditions": [
            _condition(type_, statement, before.get(type_), generation=verdict.generation, now=now)
            for type_, statement in statements.items()
        ],
    }
    if verdict.serving:
        status["digest"] = verdict.digest
        if revision := current.get("revision") if kept else _revision(programming):
            status["revision"] = revision
    return None if _says(current, status) else status


def programmed_statement(programming: Programming) -> Statement:
    """What `Programmed` says of an object that is part of the newest configuration."""
    match programming:
        case Unpublished(reason, message):
            return Statement(status=False, reason=reason, message=message)
        case Rollout(total=0):
            return Statement(
                status=False,
                reason=ProgrammedReason.NO_PROXIES,
                message=f"No ready proxies to run revision {programming.revision}",
            )
        case Rollout(refused=refused) if refused:
            pod, why = min(refused.items())
            return Statement(
                status=False,
                reason=ProgrammedReason.REJECTED,
                message=f"{len(refused)}/{programming.total} proxies refuse revision {programming.revision} "
                f"and keep the one before; {pod} says: {why}",
            )
        case Rollout(live=True):
            return Statement(
                status=True,
                reason=ProgrammedReason.PROGRAMMED,
                message=f"Live on {programming.confirmed}/{programming.total} proxies "
                f"at revision {programming.revision}",
            )
    return Statement(
        status=False,
        reason=ProgrammedReason.LAGGING if programming.overdue else ProgrammedReason.PENDING,
        message=f"Live on {programming.confirmed}/{programming.total} proxies at revision {programming.revision}, "
        f"waiting for {_names(programming.lagging)}",
    )


def condition_of(status: Mapping[str, Any] | None, type_: ConditionType) -> Mapping[str, Any] | None:
    """One condition of a status, if it has it."""
    return next((condition for condition in _conditions(status or {}) if condition.get("type") == type_), None)


def _kept(verdict: Verdict, current: Mapping[str, Any], programmed: Mapping[str, Any] | None) -> Statement | None:
    """What is said of being programmed, where that still holds because the same content is live already."""
    if not verdict.serving or current.get("digest") != verdict.digest or programmed is None:
        return None
    if programmed.get("status") != "True":
        return None
    return Statement(status=True, reason=str(programmed.get("reason")), message=str(programmed.get("message")))


def _programmed(verdict: Verdict, programming: Programming) -> Statement:
    if not verdict.serving:
        failed = verdict.resolved_refs if verdict.accepted.status else verdict.accepted
        why = f": {failed.message}" if failed.message else ""
        return Statement(
            status=False, reason=ProgrammedReason.NOT_SERVED, message=f"Not part of the configuration{why}"
        )
    return programmed_statement(programming)


def _revision(programming: Programming) -> str | None:
    return programming.revision if isinstance(programming, Rollout) else None


def _ready(verdict: Verdict, programmed: Statement) -> Statement:
    accepted, resolved = verdict.accepted, verdict.resolved_refs
    if not accepted.status:
        return Statement(status=False, reason=accepted.reason, message=accepted.message)
    if not verdict.serving and not resolved.status:
        return Statement(status=False, reason=resolved.reason, message=resolved.message)
    if not programmed.status:
        return Statement(status=False, reason=programmed.reason, message=programmed.message)
    if verdict.degraded:
        out = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
        more = f"; and {len(out) - 1} more" if len(out) > 1 else ""
        message = f"Serves without what is out: {out[0]}{more}" if out else resolved.message
        return Statement(status=True, reason=ReadyReason.DEGRADED, message=message)
    return Statement(status=True, reason=ReadyReason.READY, message=programmed.message)


def _condition(
    type_: ConditionType, statement: Statement, before: Mapping[str, Any] | None, *, generation: int, now: str
) -> dict[str, Any]:
    status = "True" if statement.status else "False"
    since = before.get("lastTransitionTime") if before and before.get("status") == status else None
    return {
        "type": str(type_),
        "status": status,
        "observedGeneration": generation,
        "lastTransitionTime": since or now,
        "reason": str(statement.reason),
        "message": statement.message[:MAX_MESSAGE],
    }


def _says(current: Mapping[str, Any], status: Status) -> bool:
    """Whether `current` says all that `status` does; conditions of other people are theirs."""
    ours = {condition["type"]: condition for condition in status["conditions"]}
    theirs = {condition.get("type"): condition for condition in _conditions(current)}
    return all(theirs.get(type_) == condition for type_, condition in ours.items()) and all(
        current.get(name) == status.get(name) for name in ("observedGeneration", "revision", "digest")
    )


def _conditions(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    conditions = status.get("conditions")
    return [item for item in conditions if isinstance(item, dict)] if isinstance(conditions, list) else []


def _names(pods: tuple[str, ...]) -> str:
    more = len(pods) - MAX_NAMED_PODS
    return ", ".join(pods[:MAX_NAMED_PODS]) + (f" and {more} more" if more > 0 else "")
