"""What the request path tells: one call at the end of an attempt, one at the end of a request.

The numbers of a (route, provider, model) are found once and kept together; a request looks them up by one key and adds.
"""

import logging
from dataclasses import dataclass, field
from typing import Protocol

from understudy_proxy.config.runtime import Candidate, Runtime
from understudy_proxy.failure import UpstreamFailure
from understudy_proxy.routing.health import HealthChange, Standing
from understudy_proxy.routing.plan import Choice
from understudy_proxy.telemetry import families
from understudy_proxy.telemetry.book import Book, Distribution, Tally
from understudy_proxy.telemetry.failed import FailureLog
from understudy_proxy.telemetry.outcomes import Outcomes
from understudy_proxy.telemetry.pruning import NOBODY, Revisions, forget_gone
from understudy_proxy.telemetry.record import RequestRecord, TokenUsage

_log = logging.getLogger(__name__)
_STATUSES = frozenset({400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 499, 500, 501, 502, 503, 504, 529})
"""Statuses that become a label by themselves; a provider may send any other."""
SUCCESS = "success"


class EndLog(Protocol):
    """Who else wants to know that a request has ended."""

    def write(self, record: RequestRecord) -> None:
        """Keep it."""


@dataclass(slots=True)
class _Tokens:
    """What is counted of an answer that told its tokens."""

    input: Distribution
    output: Distribution
    by_type: tuple[Tally, Tally, Tally, Tally, Tally]


@dataclass(slots=True)
class _Pace:
    """What is counted of a stream."""

    first_token: Distribution
    per_token: Distribution


@dataclass(slots=True)
class _Numbers:
    """Everything that is counted for one (route, provider, model, operation); parts appear when they are needed."""

    who: tuple[str, str, str]
    gen_ai: tuple[str, str, str]
    failovers: Tally
    left: Tally
    tokens: _Tokens | None = None
    pace: _Pace | None = None
    seconds: dict[int, Distribution] = field(default_factory=dict)
    """By status."""
    requests: dict[tuple[int, str], Tally] = field(default_factory=dict)
    """By status and reason."""


class Metrics:
    """Counts requests and attempts."""

    def __init__(self, book: Book, outcomes: Outcomes, *, log: EndLog | None) -> None:
        """Count in `book` and `outcomes`; write each ended request to `log`, unless there is none."""
        self.in_flight = 0
        self._book = book
        self._outcomes = outcomes
        self._log = log
        self._failures = FailureLog(book)
        self._numbers: dict[tuple[str, str, str], _Numbers] = {}
        self._attempts: dict[tuple[str, str], tuple[Tally, Distribution]] = {}
        self._revisions = Revisions()

    def request_began(self) -> None:
        """A request is being answered; `record_request` or `request_handed_on` ends it."""
        self.in_flight += 1

    def request_handed_on(self) -> None:
        """A request is answered in parts, each of which begins and ends as a request does."""
        self.in_flight -= 1

    def record_attempt(self, candidate: Candidate, outcome: str, seconds: float) -> None:
        """An attempt ended; `outcome` is `success` or a failure kind, a word of a closed set."""
        found = self._attempts.get((candidate.key, outcome))
        if found is None:
            found = self._attempts[candidate.key, outcome] = self._bind_attempt(candidate, outcome)
        tally, distribution = found
        tally.value += 1
        distribution.observe(seconds)

    def record_failure(self, choice: Choice, failure: UpstreamFailure, *, request_id: str, now: float) -> None:
        """An attempt failed, or a stream that had begun; `record_attempt` counts it when it ends."""
        self._failures.write(choice, failure, request_id=request_id, now=now)

    def record_request(self, record: RequestRecord) -> None:
        """A request ended, however it did."""
        self.in_flight -= 1
        target, candidate, status = record.target, record.candidate, record.status
        key = (target.label if target else NOBODY, candidate.key if candidate else NOBODY, record.operation)
        numbers = self._numbers.get(key) or self._bind(key, candidate)
        seconds = record.finished - record.started
        self._request_tally(numbers, status, record.reason).value += 1
        self._seconds(numbers, status).observe(seconds)
        if target is not None and target.prompt is not None:
            labels = (target.label, target.prompt.revision, f"{status // 100}xx")
            self._book.tally(families.PERSONA_REQUESTS, *labels).value += 1
        if record.usage is not None:
            _count_tokens(numbers.tokens or self._bind_tokens(numbers), record.usage)
        if record.first_token is not None:
            _count_pace(numbers.pace or self._bind_pace(numbers), record, record.first_token)
        if record.failovers:
            numbers.failovers.value += record.failovers
        if record.client_left:
            numbers.left.value += 1
        self._outcomes.record(failed=status >= 500, now=record.finished)
        if self._log is not None:
            self._log.write(record)

    def refused(self, reason: str) -> None:
        """A request was refused before anybody was asked; `reason` is a word of a closed set."""
        self._book.tally(families.ADMISSION_REFUSALS, reason).value += 1

    def health_changed(self, change: HealthChange) -> None:
        """An endpoint, or a model there, went out or came back."""
        provider = change.endpoint.partition("@")[0]
        self._book.tally(families.ENDPOINT_CHANGES, provider, change.standing.value).value += 1
        back = change.standing is Standing.READY
        _log.log(
            logging.INFO if back else logging.WARNING,
            "endpoint is back" if back else "endpoint is out",
            extra={"endpoint": change.endpoint, "model": change.model, "standing": change.standing.value},
        )

    def configured(self, runtime: Runtime) -> None:
        """Forget the numbers of what `runtime` no longer holds."""
        forget_gone(self._book, runtime, revisions=self._revisions.known(runtime))
        self._numbers.clear()
        self._attempts.clear()
        self._failures.forget()

    def _bind(self, key: tuple[str, str, str], candidate: Candidate | None) -> _Numbers:
        route, _, operation = key
        provider, model = (candidate.upstream.key, candidate.model) if candidate else (NOBODY, NOBODY)
        numbers = self._numbers[key] = _Numbers(
            who=(route, provider, model),
            gen_ai=(operation, candidate.upstream.system if candidate else NOBODY, model),
            failovers=self._book.tally(families.FAILOVERS, route),
            left=self._book.tally(families.CLIENT_DISCONNECTS, route),
        )
        return numbers

    def _bind_tokens(self, numbers: _Numbers) -> _Tokens:
        kinds = ("input", "output", "cached_input", "cache_write", "reasoning")
        labels = (numbers.who[1], *numbers.gen_ai)
        first, second, third, fourth, fifth = (self._book.tally(families.TOKENS, *numbers.who, kind) for kind in kinds)
        numbers.tokens = _Tokens(
            input=self._book.distribution(families.TOKEN_USAGE, *labels, "input"),
            output=self._book.distribution(families.TOKEN_USAGE, *labels, "output"),
            by_type=(first, second, third, fourth, fifth),
        )
        return numbers.tokens

    def _bind_pace(self, numbers: _Numbers) -> _Pace:
        route, provider, _ = numbers.who
        numbers.pace = _Pace(
            first_token=self._book.distribution(families.FIRST_TOKEN_SECONDS, route, provider, *numbers.gen_ai),
            per_token=self._book.distribution(families.PER_TOKEN_SECONDS, provider, *numbers.gen_ai),
        )
        return numbers.pace

    def _bind_attempt(self, candidate: Candidate, outcome: str) -> tuple[Tally, Distribution]:
        provider, model = candidate.upstream.key, candidate.model
        gen_ai = ("chat", candidate.upstream.system, model)
        error = "" if outcome == SUCCESS else outcome
        return (
            self._book.tally(families.ATTEMPTS, provider, model, outcome),
            self._book.distribution(families.ATTEMPT_SECONDS, provider, *gen_ai, error),
        )

    def _request_tally(self, numbers: _Numbers, status: int, reason: str) -> Tally:
        found = numbers.requests.get((status, reason))
        if found is None:
            found = self._book.tally(families.REQUESTS, *numbers.who, f"{status // 100}xx", reason)
            numbers.requests[status, reason] = found
        return found

    def _seconds(self, numbers: _Numbers, status: int) -> Distribution:
        found = numbers.seconds.get(status)
        if found is None:
            route, provider, _ = numbers.who
            labels = (route, provider, *numbers.gen_ai, _error_type(status))
            found = numbers.seconds[status] = self._book.distribution(families.REQUEST_SECONDS, *labels)
        return found


def _error_type(status: int) -> str:
    if status < 400:
        return ""
    return str(status) if status in _STATUSES else f"{status // 100}xx"


def _count_tokens(tokens: _Tokens, usage: TokenUsage) -> None:
    tokens.input.observe(usage.input)
    tokens.output.observe(usage.output)
    read, written, cached, cache_write, reasoning = tokens.by_type
    read.value += usage.input
    written.value += usage.output
    cached.value += usage.cached_input
    cache_write.value += usage.cache_write
    reasoning.value += usage.reasoning


def _count_pace(pace: _Pace, record: RequestRecord, first_token: float) -> None:
    pace.first_token.observe(first_token - record.started)
    # (duration - time to first token) / (tokens - 1), as the conventions define it.
    if record.usage is not None and record.usage.output > 1:
        pace.per_token.observe((record.finished - first_token) / (record.usage.output - 1))
