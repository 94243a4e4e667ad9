"""The decision table: what follows from each kind of failure, row for row."""

from dataclasses import dataclass

import pytest

from harness.runtimes import a_choice, a_model
from understudy_api.config import ProviderModel, RetryOn, RetryPolicy
from understudy_proxy.exchange.decide import ROWS, Decision, decide, worth_asking
from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.routing.health import HealthEffect

POLICY = RetryPolicy(attempts=3, base_seconds=0.1, max_seconds=2.0, retry_on=frozenset(RetryOn))


def _failure(kind: FailureKind, *, retry_after: float | None = None) -> UpstreamFailure:
    return UpstreamFailure(kind, "it failed", retry_after_seconds=retry_after)


def _decided(
    what: UpstreamFailure,
    *,
    begun: bool = False,
    retries_here: int = 0,
    attempts_left: int = 2,
    others_left: int = 1,
    policy: RetryPolicy = POLICY,
    draw: float = 0.5,
) -> Decision:
    return decide(
        what,
        begun=begun,
        retries_here=retries_here,
        attempts_left=attempts_left,
        others_left=others_left,
        policy=policy,
        draw=lambda: draw,
    )


@dataclass(frozen=True)
class Row:
    """A row of the table: how often the same backend is asked again, whether the next one is, and what it says."""

    kind: FailureKind
    retries: int
    fails_over: bool
    effect: HealthEffect
    retry_after: float | None = None


ANY = 2
"""As many as there are attempts in the test."""
ROWS_OF_THE_TABLE = [
    pytest.param(Row(FailureKind.CONNECT_REFUSED, 1, True, HealthEffect.EJECT), id="connection refused"),
    pytest.param(Row(FailureKind.NAME_NOT_RESOLVED, 1, True, HealthEffect.EJECT), id="DNS"),
    pytest.param(Row(FailureKind.TLS_FAILED, 1, True, HealthEffect.EJECT), id="TLS handshake"),
    pytest.param(Row(FailureKind.CONNECT_TIMEOUT, 1, True, HealthEffect.EJECT), id="connect timeout"),
    pytest.param(Row(FailureKind.UNREACHABLE, 1, True, HealthEffect.EJECT), id="nobody there"),
    pytest.param(Row(FailureKind.CONNECTION_RESET, 1, True, HealthEffect.COUNT), id="reset before response"),
    pytest.param(Row(FailureKind.FIRST_TOKEN_TIMEOUT, 0, True, HealthEffect.COUNT), id="first-token timeout"),
    pytest.param(Row(FailureKind.REQUEST_TIMEOUT, 0, True, HealthEffect.COUNT), id="total timeout"),
    pytest.param(Row(FailureKind.STREAM_IDLE, 0, True, HealthEffect.COUNT), id="idle before anything was sent on"),
    pytest.param(Row(FailureKind.INTERRUPTED, 0, True, HealthEffect.COUNT), id="cut before anything was sent on"),
    pytest.param(Row(FailureKind.UPSTREAM_TIMEOUT, ANY, True, HealthEffect.SOFT), id="408"),
    pytest.param(Row(FailureKind.CONFLICT, 0, False, HealthEffect.ALIVE), id="409"),
    pytest.param(Row(FailureKind.RATE_LIMITED, 0, True, HealthEffect.COOL_DOWN), id="429 without a time"),
    pytest.param(Row(FailureKind.RATE_LIMITED, ANY, True, HealthEffect.COOL_DOWN, 1.5), id="429 for a moment"),
    pytest.param(Row(FailureKind.RATE_LIMITED, 0, True, HealthEffect.COOL_DOWN, 30.0), id="429 for long"),
    pytest.param(Row(FailureKind.QUOTA_EXCEEDED, 0, True, HealthEffect.COOL_DOWN_LONG), id="429 quota, 402"),
    pytest.param(Row(FailureKind.SERVER_ERROR, 1, True, HealthEffect.COUNT), id="500, 502, 504, 520-524, 424"),
    pytest.param(Row(FailureKind.OVERLOADED, 1, True, HealthEffect.COUNT), id="503, 529"),
    pytest.param(Row(FailureKind.OVERLOADED, 1, True, HealthEffect.COOL_DOWN, 1.0), id="503 for a moment"),
    pytest.param(Row(FailureKind.OVERLOADED, 0, True, HealthEffect.COOL_DOWN, 30.0), id="503 for long"),
    pytest.param(Row(FailureKind.OVERLOADED, 1, True, HealthEffect.COUNT, 0.0), id="503 for no time at all"),
    pytest.param(Row(FailureKind.AUTHENTICATION, 0, True, HealthEffect.EJECT), id="401, 403"),
    pytest.param(Row(FailureKind.MODEL_NOT_FOUND, 0, True, HealthEffect.MODEL_MISSING), id="404"),
    pytest.param(Row(FailureKind.BAD_REQUEST, 0, False, HealthEffect.ALIVE), id="400, 413, 422"),
    pytest.param(Row(FailureKind.CONTEXT_LENGTH_EXCEEDED, 0, True, HealthEffect.ALIVE), id="context length"),
    pytest.param(Row(FailureKind.CONTENT_FILTERED, 0, True, HealthEffect.ALIVE), id="content filter, configured"),
    pytest.param(Row(FailureKind.CLIENT_LEFT, 0, False, HealthEffect.NONE), id="client disconnect"),
    pytest.param(Row(FailureKind.REDIRECT, 0, True, HealthEffect.EJECT), id="3xx"),
    pytest.param(Row(FailureKind.INVALID_RESPONSE, 0, True, HealthEffect.COUNT), id="200 without an answer"),
    pytest.param(Row(FailureKind.BUSY, 0, True, HealthEffect.NONE), id="no place left at the upstream"),
]


@pytest.mark.parametrize("row", ROWS_OF_THE_TABLE)
def test_steps_to_the_next_backend(row: Row) -> None:
    """With the same backend's repeats used up, the next one is asked exactly where that can help."""
    decision = _decided(_failure(row.kind, retry_after=row.retry_after), retries_here=ANY, attempts_left=1)
    assert decision == Decision(retry_same=False, fail_over=row.fails_over, effect=row.effect)


@pytest.mark.parametrize("row", ROWS_OF_THE_TABLE)
def test_gives_up_after_the_last_backend(row: Row) -> None:
    """Without another backend or attempt there is nothing left, but its health learns."""
    for others_left, attempts_left in ((0, 0), (1, 0)):
        decision = _decided(
            _failure(row.kind, retry_after=row.retry_after),
            retries_here=ANY,
            others_left=others_left,
            attempts_left=attempts_left,
        )
        assert decision == Decision(retry_same=False, fail_over=False, effect=row.effect)


@pytest.mark.parametrize("row", ROWS_OF_THE_TABLE)
def test_asks_the_same_backend_again(row: Row) -> None:
    """Alone, a backend is asked again as often as the row says and attempts allow."""
    retries = 0
    while _decided(
        _failure(row.kind, retry_after=row.retry_after),
        retries_here=retries,
        attempts_left=ANY - retries,
        others_left=0,
    ).retry_same:
        retries += 1
    assert retries == row.retries


@pytest.mark.parametrize("row", ROWS_OF_THE_TABLE)
def test_nothing_is_asked_twice_once_the_client_has_seen_text(row: Row) -> None:
    """A client that has seen a byte never gets a second beginning, even when backends and attempts are left."""
    decision = _decided(_failure(row.kind, retry_after=row.retry_after), begun=True)
    assert decision == Decision(retry_same=False, fail_over=False, effect=row.effect)


@pytest.mark.parametrize("kind", list(FailureKind), ids=str)
def test_every_kind_has_a_row(kind: FailureKind) -> None:
    """No failure is without a decision."""
    assert kind in ROWS


@pytest.mark.parametrize("row", ROWS_OF_THE_TABLE)
def test_retry_on_is_obeyed(row: Row) -> None:
    """A policy that lists no kind at all makes no further attempt."""
    policy = POLICY.model_copy(update={"retry_on": frozenset()})
    decision = _decided(_failure(row.kind, retry_after=row.retry_after), policy=policy)
    assert (decision.retry_same, decision.fail_over) == (False, False)


def test_content_filters_are_final_by_default() -> None:
    """Another provider is asked about filtered content only where the route says so."""
    filtered = _failure(FailureKind.CONTENT_FILTERED)
    assert not _decided(filtered, policy=RetryPolicy()).fail_over
    assert _decided(filtered, policy=POLICY).fail_over


def test_a_repeat_never_costs_an_understudy_its_attempt() -> None:
    """With as many attempts as other backends, the others are asked rather than the same one twice."""
    refused = _failure(FailureKind.CONNECT_REFUSED)
    assert _decided(refused, attempts_left=2, others_left=1).retry_same
    assert _decided(refused, attempts_left=1, others_left=1).fail_over
    assert _decided(refused, attempts_left=2, others_left=2).fail_over


def test_a_rate_limit_is_waited_for_only_when_nobody_else_is_there() -> None:
    """An understudy answers now; waiting is for routes without one, and takes exactly as long as asked."""
    limited = _failure(FailureKind.RATE_LIMITED, retry_after=1.5)
    assert _decided(limited, others_left=1, attempts_left=5).fail_over
    alone = _decided(limited, others_left=0)
    assert (alone.retry_same, alone.delay_seconds) == (True, 1.5)


@pytest.mark.parametrize("kind", [FailureKind.CONNECT_TIMEOUT, FailureKind.UNREACHABLE])
def test_a_silent_address_is_asked_again_only_when_nobody_else_is_there(kind: FailureKind) -> None:
    """A caller that has waited out a connect timeout does not wait out a second one while another could answer."""
    silent = _failure(kind)
    assert _decided(silent, others_left=1) == Decision(retry_same=False, fail_over=True, effect=HealthEffect.EJECT)
    assert _decided(silent, others_left=0).retry_same


def test_the_first_refused_connection_only_counts() -> None:
    """An endpoint is out at once only when a second try at it fails as well."""
    refused = _failure(FailureKind.CONNECT_REFUSED)
    assert _decided(refused).effect is HealthEffect.COUNT
    assert _decided(refused, retries_here=1).effect is HealthEffect.EJECT


@pytest.mark.parametrize(
    ("retries_here", "draw", "seconds"),
    [
        pytest.param(0, 0.0, 0.0, id="full jitter reaches down to nothing"),
        pytest.param(0, 0.5, 0.05, id="half of the base"),
        pytest.param(2, 0.5, 0.2, id="doubles each time"),
        pytest.param(40, 0.5, 1.0, id="up to the maximum"),
    ],
)
def test_backoff(retries_here: int, draw: float, seconds: float) -> None:
    """Repeats wait exponentially longer, with full jitter, up to the policy's maximum."""
    decision = _decided(_failure(FailureKind.UPSTREAM_TIMEOUT), others_left=0, draw=draw, retries_here=retries_here)
    assert decision.delay_seconds == pytest.approx(seconds)


SMALL, LARGE, UNKNOWN = a_model(context_window=8_000), a_model(context_window=200_000), a_model()


@pytest.mark.parametrize(
    ("failed", "rest", "kept"),
    [
        pytest.param(
            SMALL, {"a/large:m": LARGE, "a/small:m": SMALL, "a/unknown:m": UNKNOWN}, ["a/large:m"], id="larger"
        ),
        pytest.param(LARGE, {"a/large:m": LARGE, "a/small:m": SMALL}, [], id="none is larger"),
        pytest.param(UNKNOWN, {"a/large:m": LARGE, "a/unknown:m": UNKNOWN}, ["a/large:m"], id="any known one"),
    ],
)
def test_context_length_asks_only_larger_windows(
    failed: ProviderModel, rest: dict[str, ProviderModel], kept: list[str]
) -> None:
    """What was too long is sent only to a backend that is known to hold more."""
    too_long = _failure(FailureKind.CONTEXT_LENGTH_EXCEEDED)
    choices = tuple(a_choice(key, model) for key, model in rest.items())
    left = worth_asking(too_long, a_choice("a/failed:m", failed), choices)
    assert [choice.candidate.key for choice in left] == kept


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        pytest.param(FailureKind.AUTHENTICATION, ["b/other:m"], id="one credential for all of a provider"),
        pytest.param(FailureKind.QUOTA_EXCEEDED, ["b/other:m"], id="one account for all of a provider"),
        pytest.param(FailureKind.CONTENT_FILTERED, ["b/other:m"], id="one policy for all of a provider"),
        pytest.param(FailureKind.REDIRECT, ["b/other:m"], id="one base URL for all of a provider"),
        pytest.param(FailureKind.CONNECT_REFUSED, ["a/p:m@2", "b/other:m"], id="one address"),
        pytest.param(FailureKind.UNREACHABLE, ["a/p:m@2", "b/other:m"], id="one address that is gone"),
        pytest.param(FailureKind.RATE_LIMITED, ["a/p:n@1", "a/p:m@2", "b/other:m"], id="limits are a model's"),
        pytest.param(FailureKind.SERVER_ERROR, ["a/p:n@1", "a/p:m@2", "b/other:m"], id="anything may be better"),
    ],
)
def test_what_fails_the_same_way_is_not_asked(kind: FailureKind, kept: list[str]) -> None:
    """A failure of a whole provider or address rules out what shares it, and nothing else."""
    rest = (a_choice("a/p:n", address="1"), a_choice("a/p:m", address="2"), a_choice("b/other:m"))
    left = worth_asking(_failure(kind), a_choice("a/p:m", address="1"), rest)
    names = [
        choice.candidate.key + (f"@{choice.endpoint.address}" if choice.endpoint.address else "") for choice in left
    ]
    assert names == kept
