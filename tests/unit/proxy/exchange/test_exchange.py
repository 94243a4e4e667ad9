"""Walking a plan, with upstreams that a test scripts: who is asked, how often, after which pause; and what is left."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from harness.asking import chat_body
from harness.gateways import in_order, provider, route, snapshot
from harness.raw_http import eventually
from understudy_api.config import RetryPolicy, Timeouts
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.openai.client import CLIENT
from understudy_proxy.dialects.openai.request import read
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.exchange.admission import Admission
from understudy_proxy.exchange.course import Course, Exhausted, Whole
from understudy_proxy.exchange.directory import Directory
from understudy_proxy.exchange.endpoints import Endpoints
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.exchange.ledger import Ledger
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.exchange.retry_budget import RetryBudget
from understudy_proxy.exchange.stream import Stream
from understudy_proxy.exchange.transport import Receiving, Sending
from understudy_proxy.exchange.walk import Ask
from understudy_proxy.failure import FailureKind, UpstreamError, UpstreamFailure
from understudy_proxy.routing.health import HealthBoard, HealthChange, Standing
from understudy_proxy.routing.plan import Choice

CHAT = ChatOperation(CLIENT, PROVIDERS)
ANSWER = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
REFUSED = UpstreamError(UpstreamFailure(FailureKind.CONNECT_REFUSED, "refused"))
ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
TEXT = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error":{"message":"no","type":"server_error","param":null,"code":null}}\n\n'


@dataclass
class _Response:
    """A response that a test scripted: pieces of a body, an exception where one is due, silence where None is."""

    status: int = 200
    pieces: Sequence[bytes | Exception | None] = (ANSWER,)
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    at: int = 0
    closed: bool = False

    async def read(self, *, limit: int, within: float) -> bytes:
        del limit
        body = b""
        while piece := await self.chunk(within=within):
            body += piece
        return body

    async def chunk(self, *, within: float) -> bytes:
        del within
        if self.at == len(self.pieces):
            return b""
        piece = self.pieces[self.at]
        self.at += 1
        if piece is None:
            await asyncio.Event().wait()
        if isinstance(piece, Exception):
            raise piece
        return piece or b""

    def close(self) -> None:
        self.closed = True

    def let_go(self) -> None:
        self.closed = True


def _stream(*pieces: bytes | Exception | None) -> _Response:
    return _Response(pieces=pieces, headers={"content-type": "text/event-stream"})


class _Transport:
    """Gives what was scripted for each upstream, one after the other, and the last one for ever."""

    def __init__(self, **scripts: Sequence[_Response | Exception]) -> None:
        self._scripts = {name: list(script) for name, script in scripts.items()}
        self.asked: list[str] = []
        self.given: list[_Response] = []

    async def send(self, sending: Sending, *, within: float) -> Receiving:
        del within
        name = sending.upstream.name
        self.asked.append(name)
        script = self._scripts[name]
        scripted = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(scripted, Exception):
            raise scripted
        self.given.append(replace(scripted))
        return self.given[-1]

    def abandon(self, address: str) -> None:
        pass

    def forget(self) -> None:
        pass

    async def close(self) -> None:
        pass


@dataclass
class _Metrics:
    """What the request path told."""

    attempts: list[tuple[str, str]] = field(default_factory=list)

    def record_attempt(self, candidate: Candidate, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.attempts.append((candidate.upstream.name, outcome))

    def record_failure(self, choice: Choice, failure: UpstreamFailure, *, request_id: str, now: float) -> None:
        pass

    def health_changed(self, change: HealthChange) -> None:
        pass


class _Set:
    """An exchange over a scripted transport."""

    def __init__(self, transport: _Transport, *, draw: Callable[[], float] = lambda: 0.5, **fields: Any) -> None:
        retry = fields.pop("retry", RetryPolicy(base_seconds=0.1, max_seconds=2.0))
        names = sorted(transport._scripts)
        providers = [provider(name, f"http://{name}", timeouts=Timeouts(), **fields) for name in names]
        self.runtime = build(snapshot(providers, [route("chat", *in_order(*names), retry=retry)]), now=0.0)
        self.transport = transport
        self.metrics = _Metrics()
        self.board = HealthBoard()
        self.admission = Admission(requests=100)
        self.slept: list[float] = []
        self.course = Course()
        """Of the last request."""
        self.exchange = Exchange(
            transport=transport,
            ledger=Ledger(board=self.board, admission=self.admission, metrics=self.metrics),
            endpoints=Endpoints(Resolver(), Directory(transport)),
            budget=RetryBudget(),
            draw=draw,
            sleep=self._sleep,
        )
        self.exchange.use(self.runtime)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def ask(self, *, stream: bool = False) -> Whole | Stream:
        """Ask for `chat`."""
        target = self.runtime.targets["LLMRoute/default/chat"]
        self.course = Course()
        return await self.exchange.run(Ask(target, CHAT, read(chat_body(stream=stream)), {}, course=self.course))

    def nothing_is_left(self) -> bool:
        """Whether all places are free again and every response is closed."""
        upstreams = self.runtime.upstreams.values()
        free = all(self.board.in_flight(one.key) == 0 for one in upstreams)
        return free and not self.admission._at and all(response.closed for response in self.transport.given)


async def test_a_plain_answer() -> None:
    """One attempt, the provider's own bytes, and nothing left behind."""
    made = _Set(_Transport(a=[_Response()]))
    answer = await made.ask()
    assert isinstance(answer, Whole)
    assert (ANSWER, 1, 0, None) == (
        answer.body,
        made.course.attempts,
        made.course.failovers,
        made.course.reason,
    )
    assert [("a", "success")] == made.metrics.attempts
    assert made.nothing_is_left()


async def test_repeats_wait_with_full_jitter() -> None:
    """The pause before a repeat is drawn from nothing to the backoff, which doubles up to its bound."""
    made = _Set(_Transport(a=[_Response(status=408)]), retry=RetryPolicy(attempts=6, base_seconds=1.0, max_seconds=3.0))
    with pytest.raises(Exhausted):
        await made.ask()
    assert [0.5, 1.0, 1.5, 1.5, 1.5] == made.slept


async def test_a_spent_budget_moves_on_instead_of_repeating() -> None:
    """Without budget nobody is asked twice, but the understudy is still asked."""
    made = _Set(_Transport(a=[_Response(status=500)], b=[_Response()]))
    while made.exchange.budget.withdraw("LLMRoute/default/chat", now=made.exchange.ledger.now()):
        pass
    await made.ask()
    assert (["a", "b"], 2) == (made.transport.asked, made.course.attempts)


async def test_a_spent_budget_gives_up_when_nobody_else_is_there() -> None:
    """Without budget and without an understudy, the first failure is the last."""
    made = _Set(_Transport(a=[_Response(status=500)]))
    while made.exchange.budget.withdraw("LLMRoute/default/chat", now=made.exchange.ledger.now()):
        pass
    with pytest.raises(Exhausted) as caught:
        await made.ask()
    assert (500, 1) == (caught.value.refusal.status, made.course.attempts)


async def test_attempts_are_bounded_over_all_backends() -> None:
    """The policy's attempts count for the request, not for each backend."""
    made = _Set(_Transport(a=[REFUSED], b=[REFUSED], c=[_Response()]), retry=RetryPolicy(attempts=2, base_seconds=0.0))
    with pytest.raises(Exhausted):
        await made.ask()
    assert (["a", "b"], 2) == (made.transport.asked, made.course.attempts)


async def test_what_the_client_has_not_seen_is_no_beginning() -> None:
    """Text and an error that come together have shown the client nothing: the next backend begins afresh."""
    made = _Set(_Transport(a=[_stream(ROLE + TEXT + ERROR)], b=[_stream(ROLE, TEXT, STOP + DONE)]))
    answer = await made.ask(stream=True)
    assert isinstance(answer, Stream)
    assert "b" == made.transport.asked[-1]
    out = answer.first
    while events := await answer.next():
        out += events
    assert out == ROLE + TEXT + STOP + DONE
    answer.close()
    assert made.nothing_is_left()


async def test_a_stream_that_breaks_is_entered_once() -> None:
    """A cut stream counts as one failure of its backend, after its success to begin."""
    made = _Set(_Transport(a=[_stream(ROLE + TEXT, UpstreamError(UpstreamFailure(FailureKind.INTERRUPTED, "cut")))]))
    answer = await made.ask(stream=True)
    assert isinstance(answer, Stream)
    with pytest.raises(UpstreamError, match="cut"):
        await answer.next()
    answer.close()
    answer.close()
    assert [("a", "interrupted")] == made.metrics.attempts
    assert made.nothing_is_left()


async def test_a_stream_whose_last_formality_is_cut_is_whole() -> None:
    """When every choice has finished, a connection that breaks before `[DONE]` takes nothing away."""
    broken = UpstreamError(UpstreamFailure(FailureKind.INTERRUPTED, "cut"))
    made = _Set(_Transport(a=[_stream(ROLE + TEXT, STOP, broken)]))
    answer = await made.ask(stream=True)
    assert isinstance(answer, Stream)
    out = answer.first
    while events := await answer.next():
        out += events
    assert out == ROLE + TEXT + STOP + DONE
    answer.close()
    assert [("a", "success")] == made.metrics.attempts


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(_stream(None), id="before the first event"),
        pytest.param(_stream(ROLE, None), id="before the first token"),
        pytest.param(_Response(pieces=(ANSWER[:5], None)), id="inside a whole answer"),
    ],
)
async def test_a_client_that_leaves_leaves_nothing_behind(script: _Response) -> None:
    """Whenever it leaves: the response is closed, the places are free, and it is no failure of the backend's."""
    made = _Set(_Transport(a=[script]))
    asked = asyncio.create_task(made.ask(stream="event-stream" in script.headers["content-type"]))
    await eventually(lambda: bool(made.transport.given) and made.transport.given[0].at == len(script.pieces))
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert made.nothing_is_left()
    assert [("a", "client_left")] == made.metrics.attempts


async def test_a_busy_backend_is_stepped_over_and_not_blamed() -> None:
    """A backend without a free place costs no attempt and no health."""
    made = _Set(_Transport(a=[_Response()], b=[_Response()]), max_concurrency=1)
    place = made.admission.start(made.runtime.upstreams["default/a"])
    await made.ask()
    assert (True, ["b"], 1, 1, "busy") == (
        place,
        made.transport.asked,
        made.course.attempts,
        made.course.failovers,
        made.course.reason,
    )


async def test_a_server_whose_slots_are_taken_is_spared() -> None:
    """What would wait at one server goes to the next, which has a slot."""
    made = _Set(_Transport(a=[_Response()], b=[_Response()]), slots=1)
    made.board.start("default/a", "m", now=0.0)
    await made.ask()
    assert (["b"], 1, "busy") == (made.transport.asked, made.course.attempts, made.course.reason)


async def test_the_last_one_is_asked_although_its_slots_are_taken() -> None:
    """Slots are no bound: with nobody else left, a request waits at the server, which has a queue."""
    made = _Set(_Transport(a=[_Response()], b=[_Response()]), slots=1)
    for name in ("a", "b"):
        made.board.start(f"default/{name}", "m", now=0.0)
    await made.ask()
    assert ["b"] == made.transport.asked


async def test_everybody_is_busy() -> None:
    """With no place free anywhere the client is told when to come back."""
    made = _Set(_Transport(a=[_Response()]), max_concurrency=1)
    made.admission.start(made.runtime.upstreams["default/a"])
    with pytest.raises(Exhausted) as caught:
        await made.ask()
    refusal = caught.value.refusal
    assert (503, "busy", True) == (refusal.status, refusal.reason, (refusal.retry_after_seconds or 0) > 0)
    assert made.transport.asked == []


async def test_one_trial_at_a_time() -> None:
    """While one request tries whether an ejected backend is back, others do not wait for it."""
    made = _Set(_Transport(a=[REFUSED, REFUSED, _stream(None)], b=[_Response()]))
    await made.ask()
    assert made.transport.asked[-1] == "b"
    now = made.exchange.ledger.now
    await eventually(lambda: made.board.standing("default/a", "m", now=now()).standing is Standing.TRIAL)
    trial = asyncio.create_task(made.ask(stream=True))
    await eventually(lambda: made.transport.asked[-1] == "a" and made.transport.given[-1].at == 1)
    await made.ask()
    assert made.transport.asked[-1] == "b"
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    assert made.nothing_is_left()
