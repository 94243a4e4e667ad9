"""One request on its way through the choices of its plan: attempts, repeats, and the step to the next backend."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import inf

from understudy_api.config import Capability, OnInterruption
from understudy_proxy.config.runtime import RuntimeTarget
from understudy_proxy.dialects.interpretation import Asked, Flow, Interpretation, Operation, ResumableOperation
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.exchange.attempt import Attempt
from understudy_proxy.exchange.course import Course, Exhausted, Whole
from understudy_proxy.exchange.decide import Decision, decide, worth_asking
from understudy_proxy.exchange.endpoints import Endpoints
from understudy_proxy.exchange.ledger import Entry, Ledger
from understudy_proxy.exchange.patience import GRAIN_SECONDS, Patience
from understudy_proxy.exchange.refusal import after
from understudy_proxy.exchange.retry_budget import RetryBudget
from understudy_proxy.exchange.stream import Stream
from understudy_proxy.exchange.transport import Sending, Transport
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure, bounded
from understudy_proxy.routing.plan import Choice

_NOT_CONNECTED = frozenset(
    {
        FailureKind.CONNECT_REFUSED,
        FailureKind.CONNECT_TIMEOUT,
        FailureKind.CONNECTION_RESET,
        FailureKind.UNREACHABLE,
    }
)


@dataclass(slots=True)
class Ask:
    """What a door asks of the exchange."""

    target: RuntimeTarget
    operation: Operation
    asked: Asked
    headers: Mapping[str, str]
    """The client's, for rules that match them."""
    forward: tuple[tuple[str, str], ...] = ()
    """Headers that go on to the upstream."""
    course: Course = field(default_factory=Course)
    """Filled in as attempts are made."""


@dataclass(frozen=True, slots=True)
class Means:
    """What attempts are made with; the same for all requests."""

    transport: Transport
    ledger: Ledger
    endpoints: Endpoints
    budget: RetryBudget
    draw: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    clock: Callable[[], float]
    """Seconds since the epoch."""


class Walk:
    """One request on its way through the choices."""

    def __init__(self, means: Means, ask: Ask, choices: tuple[Choice, ...], now: float) -> None:
        self._means = means
        self._ask = ask
        self._choice = choices[0]
        self._rest = choices[1:]
        self._retries_here = 0
        self._failures: list[tuple[Choice, UpstreamFailure]] = []
        self._course = ask.course
        self._resumes = (
            ask.target.on_interruption is OnInterruption.RESUME
            and ask.asked.stream
            and isinstance(ask.operation, ResumableOperation)
        )
        self._request_id = dict(ask.forward).get("x-request-id", "")
        # Without a bound of the route's own, each attempt has its provider's, and they add up.
        self._deadline = now + (ask.target.request_timeout_seconds or inf)

    async def run(self) -> Whole | Stream:
        """The answer, from the first choice that has one.

        Raises:
            Exhausted: none has.
            RequestError: the request is wrong.
        """
        while True:
            ready = self._ready()
            if isinstance(ready, UpstreamFailure):
                self._step_over(ready)
                continue
            entry, interpretation = ready
            try:
                answer = await self._attempt(entry, interpretation).run(self._means.transport)
            except UpstreamError as error:
                decision = self._enter(entry, error.failure)
                entry.end()
            except BaseException:  # the client has left
                entry.end()
                raise
            else:
                if isinstance(answer, Whole):
                    entry.end()
                elif self._resumes:
                    answer.go_on = self._go_on
                return answer
            await self._follow(decision)

    def _ready(self, after: Flow | None = None) -> tuple[Entry, Interpretation] | UpstreamFailure:
        """What an attempt at the choice whose turn it is takes, or why it cannot be asked."""
        ledger, candidate = self._means.ledger, self._choice.candidate
        try:
            interpretation = self._interpretation(after)
        except Unsupported as unsupported:
            return UpstreamFailure(FailureKind.UNSUPPORTED, bounded(unsupported.message), param=unsupported.param)
        # Where another request tries whether it is back, or all slots are taken, this one need not wait for that.
        taken = bool(self._rest) and (ledger.trial_taken(self._choice) or ledger.full(self._choice))
        entry = None if taken else ledger.begin(self._choice, self._request_id)
        if entry is None:
            message = f"{candidate.upstream.key} has as many requests under way as it may have"
            return UpstreamFailure(FailureKind.BUSY, message)
        return entry, interpretation

    def _interpretation(self, after: Flow | None) -> Interpretation:
        ask, candidate = self._ask, self._choice.candidate
        operation, prompt = ask.operation, ask.target.prompt
        if self._resumes and isinstance(operation, ResumableOperation):
            if after is None:
                return operation.resumable(ask.asked, candidate, prompt)
            if (rest := operation.resume(ask.asked, candidate, prompt, after=after)) is None:
                raise Unsupported("what was said so far cannot be gone on with")
            return rest
        return operation.interpret(ask.asked, candidate, prompt)

    async def _go_on(self, failure: UpstreamFailure, flow: Flow) -> Stream | None:
        """Another backend's continuation of a stream that broke off with `failure`, if there is one."""
        self._failures.append((self._choice, failure))
        rest = worth_asking(failure, self._choice, self._rest)
        self._rest = tuple(choice for choice in rest if Capability.PREFILL in choice.candidate.capabilities)
        goes_on = self._decide(failure, begun=False, others_left=len(self._rest)).fail_over
        while goes_on and self._rest:
            self._next()
            ready = self._ready(after=flow)
            if isinstance(ready, UpstreamFailure):
                self._failures.append((self._choice, ready))
                continue
            entry, interpretation = ready
            try:
                answer = await self._attempt(entry, interpretation).run(self._means.transport)
            except UpstreamError as error:
                goes_on = self._enter(entry, error.failure).fail_over
                entry.end()
            except BaseException:  # the client has left
                entry.end()
                raise
            else:
                if isinstance(answer, Whole):  # not where a stream was asked for
                    break
                answer.go_on = self._go_on
                return answer
        return None

    def _step_over(self, why: UpstreamFailure) -> None:
        """Nobody was asked, so it is no attempt and no failure of the upstream's."""
        self._failures.append((self._choice, why))
        if not self._rest:
            raise self._exhausted()
        self._next()

    def _attempt(self, entry: Entry, interpretation: Interpretation) -> Attempt:
        candidate, call = self._choice.candidate, interpretation.call
        endpoint, agent = self._choice.endpoint, self._choice.endpoint.agent
        self._course.candidate = candidate
        self._course.attempts += 1
        self._course.warnings = call.warnings
        return Attempt(
            interpretation=interpretation,
            streaming=self._ask.asked.stream,
            sending=Sending(
                upstream=candidate.upstream if agent is None else agent.upstream,
                path=call.path,
                body=call.body if agent is None or call.calling is None else call.calling(agent),
                address=endpoint.address,
                headers=self._ask.forward + call.headers,
            ),
            entry=entry,
            patience=self._patience(entry),
            course=self._course,
            effect=lambda failure: self._decide(failure, begun=True).effect,
            clock=self._means.clock,
        )

    def _patience(self, entry: Entry) -> Patience:
        timeouts = self._choice.candidate.upstream.timeouts
        return Patience(
            now=self._means.ledger.now,
            started=entry.started,
            deadline=min(self._deadline, entry.started + timeouts.request_seconds),
            first_token_seconds=timeouts.first_token_seconds if self._another_could_step_in() else None,
            idle_seconds=timeouts.stream_idle_seconds,
        )

    def _another_could_step_in(self) -> bool:
        if not self._rest or not self._ask.asked.stream:
            return False
        silence = UpstreamFailure(FailureKind.FIRST_TOKEN_TIMEOUT, "")
        rest = worth_asking(silence, self._choice, self._rest)
        return self._decide(silence, begun=False, others_left=len(rest)).fail_over

    def _decide(self, failure: UpstreamFailure, *, begun: bool, others_left: int = 0) -> Decision:
        means, policy = self._means, self._ask.target.retry
        in_time = self._deadline - means.ledger.now() > GRAIN_SECONDS
        return decide(
            failure,
            begun=begun,
            retries_here=self._retries_here,
            attempts_left=policy.attempts - self._course.attempts if in_time else 0,
            others_left=others_left,
            policy=policy,
            draw=means.draw,
        )

    def _enter(self, entry: Entry, failure: UpstreamFailure) -> Decision:
        """Note the failure, and what is to be done about it."""
        self._failures.append((self._choice, failure))
        self._rest = worth_asking(failure, self._choice, self._rest)
        decision = self._decide(failure, begun=False, others_left=len(self._rest))
        entry.failed(failure, decision.effect)
        if failure.kind in _NOT_CONNECTED:
            self._means.endpoints.failed(self._choice.candidate.upstream)
        return decision

    async def _follow(self, decision: Decision) -> None:
        """Be ready for the next attempt.

        Raises:
            Exhausted: there is to be none.
        """
        means = self._means
        now = means.ledger.now()
        if (
            decision.retry_same
            and now + decision.delay_seconds < self._deadline
            and means.budget.withdraw(self._ask.target.key, now=now)
        ):
            self._retries_here += 1
            if decision.delay_seconds:
                await means.sleep(decision.delay_seconds)
        elif (decision.fail_over or decision.retry_same) and self._rest:
            self._next()
        else:
            raise self._exhausted()

    def _next(self) -> None:
        self._course.failovers += 1
        self._course.reason = self._failures[-1][1].kind
        self._choice, self._rest = self._rest[0], self._rest[1:]
        self._retries_here = 0

    def _exhausted(self) -> Exhausted:
        return Exhausted(after(tuple(self._failures), target=self._ask.asked.model))
