"""What a client is told when nobody answered."""

import pytest

from harness.runtimes import CHAT, a_backend, a_choice, a_model, a_provider, a_rule, a_runtime, a_target, the_target
from understudy_api.config import Capability, Match, ProviderModel, Target
from understudy_proxy.exchange.refusal import Refusal, after, without_choices
from understudy_proxy.failure import FailureKind, UpstreamFailure
from understudy_proxy.routing.health import HealthBoard, HealthEffect
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.plan import Endpoint, plan

KEY = "sk-secret-of-the-gateway"


def _failure(
    kind: FailureKind, status: int | None = None, *, retry_after: float | None = None, code: str | None = None
) -> UpstreamFailure:
    return UpstreamFailure(
        kind, "the provider's own words", status=status, code=code, param="p", retry_after_seconds=retry_after
    )


def _refused(*failures: UpstreamFailure) -> Refusal:
    backends = ("a/one:m", "b/two:m", "c/three:m")
    return after([(a_choice(key), what) for key, what in zip(backends, failures, strict=False)], target="chat")


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        pytest.param(_failure(FailureKind.CONNECT_REFUSED), 502, "upstream_unreachable", id="connection refused"),
        pytest.param(_failure(FailureKind.NAME_NOT_RESOLVED), 502, "upstream_unreachable", id="DNS"),
        pytest.param(_failure(FailureKind.TLS_FAILED), 502, "upstream_unreachable", id="TLS handshake"),
        pytest.param(_failure(FailureKind.CONNECTION_RESET), 502, "upstream_unreachable", id="reset before response"),
        pytest.param(_failure(FailureKind.CONNECT_TIMEOUT), 504, "upstream_timeout", id="connect timeout"),
        pytest.param(_failure(FailureKind.FIRST_TOKEN_TIMEOUT), 504, "upstream_timeout", id="first-token timeout"),
        pytest.param(_failure(FailureKind.REQUEST_TIMEOUT), 504, "upstream_timeout", id="total timeout"),
        pytest.param(_failure(FailureKind.STREAM_IDLE), 504, "upstream_timeout", id="idle"),
        pytest.param(_failure(FailureKind.UPSTREAM_TIMEOUT, 408), 504, "upstream_timeout", id="408"),
        pytest.param(_failure(FailureKind.CONFLICT, 409), 409, None, id="409"),
        pytest.param(_failure(FailureKind.RATE_LIMITED, 429), 429, "rate_limit_exceeded", id="429"),
        pytest.param(_failure(FailureKind.QUOTA_EXCEEDED, 429), 429, "insufficient_quota", id="429 quota"),
        pytest.param(_failure(FailureKind.QUOTA_EXCEEDED, 402), 429, "insufficient_quota", id="402"),
        pytest.param(_failure(FailureKind.SERVER_ERROR, 500), 500, "upstream_server_error", id="500"),
        pytest.param(_failure(FailureKind.SERVER_ERROR, 502), 502, "upstream_server_error", id="502"),
        pytest.param(_failure(FailureKind.SERVER_ERROR, 504), 504, "upstream_server_error", id="504"),
        pytest.param(_failure(FailureKind.SERVER_ERROR, 522), 522, "upstream_server_error", id="522"),
        pytest.param(_failure(FailureKind.SERVER_ERROR, 424), 502, "upstream_server_error", id="424"),
        pytest.param(_failure(FailureKind.OVERLOADED, 503), 503, "server_is_overloaded", id="503"),
        pytest.param(_failure(FailureKind.OVERLOADED, 529), 503, "server_is_overloaded", id="529"),
        pytest.param(_failure(FailureKind.AUTHENTICATION, 401), 502, "upstream_auth_error", id="401"),
        pytest.param(_failure(FailureKind.AUTHENTICATION, 403), 502, "upstream_auth_error", id="403"),
        pytest.param(_failure(FailureKind.MODEL_NOT_FOUND, 404), 404, "model_not_found", id="404"),
        pytest.param(_failure(FailureKind.BAD_REQUEST, 400, code="invalid_value"), 400, "invalid_value", id="400"),
        pytest.param(_failure(FailureKind.BAD_REQUEST, 413), 413, None, id="413"),
        pytest.param(_failure(FailureKind.BAD_REQUEST, 422), 422, None, id="422"),
        pytest.param(_failure(FailureKind.BAD_REQUEST), 400, None, id="400 inside a stream"),
        pytest.param(
            _failure(FailureKind.CONTEXT_LENGTH_EXCEEDED, 413), 400, "context_length_exceeded", id="context length"
        ),
        pytest.param(_failure(FailureKind.CONTENT_FILTERED, 400), 400, "content_filter", id="content filter"),
        pytest.param(
            _failure(FailureKind.CONTENT_FILTERED, 400, code="content_policy_violation"),
            400,
            "content_policy_violation",
            id="content policy",
        ),
        pytest.param(_failure(FailureKind.REDIRECT, 302), 502, "upstream_redirect", id="3xx"),
        pytest.param(_failure(FailureKind.INVALID_RESPONSE, 200), 502, "upstream_invalid_response", id="no answer"),
        pytest.param(_failure(FailureKind.INTERRUPTED), 502, "upstream_interrupted", id="cut"),
        pytest.param(_failure(FailureKind.BUSY), 503, "upstream_busy", id="no place left"),
    ],
)
def test_status_and_code(what: UpstreamFailure, status: int, code: str | None) -> None:
    """Each way of failing has the status and code of the decision table."""
    refusal = _refused(what)
    assert (refusal.status, refusal.code, refusal.reason) == (status, code, what.kind.value)


@pytest.mark.parametrize("kind", list(FailureKind), ids=str)
def test_every_kind_can_be_told(kind: FailureKind) -> None:
    """No kind of failure leaves a client without a sentence."""
    assert _refused(_failure(kind)).message


PROVIDERS_WORDS = {
    FailureKind.BAD_REQUEST,
    FailureKind.CONFLICT,
    FailureKind.CONTEXT_LENGTH_EXCEEDED,
    FailureKind.CONTENT_FILTERED,
    FailureKind.UNSUPPORTED,  # the gateway's own, about the request
}


@pytest.mark.parametrize("kind", list(FailureKind), ids=str)
def test_the_provider_speaks_only_of_the_request(kind: FailureKind) -> None:
    """What a provider says of a wrong request reaches the client; what it says of the gateway's affairs does not."""
    refusal = _refused(_failure(kind))
    assert ("the provider's own words" in refusal.message) is (kind in PROVIDERS_WORDS)
    assert refusal.param == ("p" if kind in PROVIDERS_WORDS else "model" if kind.value == "model_not_found" else None)


@pytest.mark.parametrize("status", [401, 403])
def test_the_clients_key_is_never_blamed(status: int) -> None:
    """A credential that the provider refuses is the gateway's: the client sees neither 401 nor 403."""
    refusal = _refused(_failure(FailureKind.AUTHENTICATION, status))
    assert refusal.status == 502
    assert "the gateway's own credential" in refusal.message


@pytest.mark.parametrize(
    ("failures", "status"),
    [
        pytest.param(
            (_failure(FailureKind.SERVER_ERROR, 500), _failure(FailureKind.BAD_REQUEST, 400)), 400, id="wrong"
        ),
        pytest.param(
            (_failure(FailureKind.RATE_LIMITED, 429, retry_after=20), _failure(FailureKind.CONNECT_REFUSED)),
            429,
            id="a known time before an unknown one",
        ),
        pytest.param(
            (_failure(FailureKind.SERVER_ERROR, 500), _failure(FailureKind.AUTHENTICATION, 401)),
            500,
            id="what passes before what only the owner can mend",
        ),
        pytest.param(
            (_failure(FailureKind.SERVER_ERROR, 500), _failure(FailureKind.BUSY)), 500, id="who was asked first"
        ),
        pytest.param((_failure(FailureKind.BUSY), _failure(FailureKind.AUTHENTICATION, 401)), 503, id="busy passes"),
        pytest.param(
            (_failure(FailureKind.CONTEXT_LENGTH_EXCEEDED, 400), _failure(FailureKind.SERVER_ERROR, 500)),
            500,
            id="what passes before what this request alone meets: the larger window may be back",
        ),
        pytest.param(
            (_failure(FailureKind.CONTEXT_LENGTH_EXCEEDED, 400), _failure(FailureKind.AUTHENTICATION, 401)),
            400,
            id="what the client can mend before what it cannot",
        ),
        pytest.param(
            (_failure(FailureKind.SERVER_ERROR, 500), _failure(FailureKind.SERVER_ERROR, 502)), 502, id="else the last"
        ),
    ],
)
def test_the_most_useful_failure_gives_the_status(failures: tuple[UpstreamFailure, ...], status: int) -> None:
    """When backends failed differently, the client gets the status it can do most with."""
    assert _refused(*failures).status == status


def test_the_message_names_every_backend_and_what_it_did() -> None:
    """One sentence tells the whole course, without looking into a log."""
    refusal = _refused(_failure(FailureKind.CONNECT_REFUSED), _failure(FailureKind.SERVER_ERROR, 500))
    assert refusal.message == (
        "No backend of 'chat' answered. a/one:m refused the connection; b/two:m reported an error (HTTP 500)."
    )


def test_repeats_are_told_once() -> None:
    """A backend that was asked twice and failed twice the same way is one phrase."""
    again = [(a_choice("a/one:m"), _failure(FailureKind.CONNECT_REFUSED))] * 3
    assert after(again, target="chat").message == "No backend of 'chat' answered. a/one:m refused the connection."


def test_a_message_is_bounded() -> None:
    """Sixteen attempts at sixteen addresses do not make a page."""
    many = [(a_choice(f"a/p{number}:m"), _failure(FailureKind.CONNECT_REFUSED)) for number in range(16)]
    message = after(many, target="chat").message
    assert message.endswith("; and 10 more.")


@pytest.mark.parametrize(
    ("what", "wait", "should_retry"),
    [
        pytest.param((_failure(FailureKind.RATE_LIMITED, 429, retry_after=20.4),), 20.4, None, id="429 with a time"),
        pytest.param((_failure(FailureKind.RATE_LIMITED, 429),), 1.0, None, id="429 always has a time"),
        pytest.param(
            (
                _failure(FailureKind.RATE_LIMITED, 429, retry_after=20),
                _failure(FailureKind.RATE_LIMITED, 429, retry_after=3),
            ),
            3,
            None,
            id="of two the sooner",
        ),
        pytest.param(
            (_failure(FailureKind.QUOTA_EXCEEDED, 429, retry_after=9),),
            60,
            False,
            id="quota: not before it is asked again",
        ),
        pytest.param(
            (_failure(FailureKind.QUOTA_EXCEEDED, 402, retry_after=90),), 90, False, id="quota that says when"
        ),
        pytest.param((_failure(FailureKind.OVERLOADED, 503, retry_after=7),), 7, False, id="503 with a time"),
        pytest.param((_failure(FailureKind.SERVER_ERROR, 500),), None, False, id="500: all was tried"),
        pytest.param((_failure(FailureKind.CONNECT_REFUSED),), None, False, id="502: all was tried"),
        pytest.param((_failure(FailureKind.BUSY),), 1.0, None, id="no place left"),
        pytest.param((_failure(FailureKind.BAD_REQUEST, 400),), None, None, id="400"),
    ],
)
def test_when_to_come_back(what: tuple[UpstreamFailure, ...], wait: float | None, should_retry: bool | None) -> None:
    """A client hears when to come back where waiting helps, and not to multiply attempts where it does not."""
    refusal = _refused(*what)
    assert (refusal.retry_after_seconds, refusal.should_retry) == (wait, should_retry)


def _nobody(
    served: ProviderModel,
    need: Need = CHAT,
    *,
    weight: int = 1,
    matches: tuple[Match, ...] = (),
    addresses: tuple[Endpoint, ...] = (Endpoint("a/p"),),
    board: HealthBoard | None = None,
) -> Refusal:
    rule = a_rule(a_backend("a/p", "m", weight=weight), matches=matches)
    runtime = a_runtime(a_provider("a/p", serves={"m": served}), targets=[a_target("a/chat", rule)])
    return without_choices(
        plan(
            the_target(runtime),
            need,
            {},
            board=board or HealthBoard(),
            endpoints=lambda _: addresses,
            draw=lambda: 0.0,
            now=100.0,
        )
    )


def _without(*capabilities: Capability) -> ProviderModel:
    return a_model(capabilities=frozenset(Capability) - set(capabilities))


def _needing(*capabilities: Capability, tokens: int = 10, output: int | None = None) -> Need:
    return Need(frozenset({Capability.CHAT, *capabilities}), tokens, stream=False, max_output_tokens=output)


@pytest.mark.parametrize(
    ("refusal", "status", "code", "param", "sentence"),
    [
        pytest.param(
            _nobody(_without(Capability.TOOLS), _needing(Capability.TOOLS)),
            400,
            "unsupported_parameter",
            "tools",
            "No backend of a/chat can answer this request. a/p:m: it lacks Tools, which the request needs.",
            id="tools",
        ),
        pytest.param(
            _nobody(_without(Capability.VISION), _needing(Capability.VISION)),
            400,
            "unsupported_parameter",
            "messages",
            "No backend of a/chat can answer this request. a/p:m: it lacks Vision, which the request needs.",
            id="vision",
        ),
        pytest.param(
            _nobody(a_model(context_window=1000), _needing(tokens=9000, output=50)),
            400,
            "context_length_exceeded",
            "messages",
            "No backend of a/chat can answer this request. a/p:m: its window holds 1000 tokens and the request has"
            " about 9000 and 50 to answer with.",
            id="window",
        ),
        pytest.param(
            _nobody(a_model(max_output_tokens=100), _needing(output=500)),
            400,
            "invalid_value",
            "max_tokens",
            "No backend of a/chat can answer this request. a/p:m: it answers with at most 100 tokens and 500 are asked"
            " for.",
            id="output",
        ),
        pytest.param(
            _nobody(a_model(), weight=0),
            503,
            "no_backend",
            None,
            "a/chat has no backend to ask. a/p:m: its weight is 0.",
            id="weight 0",
        ),
        pytest.param(
            _nobody(a_model(), addresses=()),
            503,
            "no_backend",
            None,
            "a/chat has no backend to ask. a/p:m: its host has no address right now.",
            id="no address",
        ),
        pytest.param(
            _nobody(a_model(), matches=(Match(stream=True),)),
            400,
            "no_matching_rule",
            None,
            "No rule of a/chat matches this request.",
            id="no rule",
        ),
    ],
)
def test_nobody_to_ask(refusal: Refusal, status: int, code: str, param: str | None, sentence: str) -> None:
    """When nobody can be asked, the sentence says for each backend why not."""
    assert (refusal.status, refusal.code, refusal.param, refusal.message) == (status, code, param, sentence)


def test_all_cooling_down_is_an_early_429() -> None:
    """A provider that asked to be left alone is not asked; the client hears when it is back."""
    board = HealthBoard()
    policy = a_provider("a/p").health
    board.failed("a/p", "m", HealthEffect.COOL_DOWN, policy, now=100.0, retry_after_seconds=12.5)
    refusal = _nobody(a_model(), board=board)
    assert (refusal.status, refusal.retry_after_seconds, refusal.should_retry) == (429, 12.5, None)
    assert refusal.message.endswith("for another 12.5 s. Try again in 13 s.")


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(a_target("a/chat", a_rule(a_backend("a/gone", "m"))), id="a rule without backends"),
        pytest.param(a_target("a/chat"), id="no rule at all"),
    ],
)
def test_a_route_without_any_backend_says_where_to_look(target: Target) -> None:
    """All backends are out of the configuration: that is the owner's to mend, and said so."""
    found = plan(
        the_target(a_runtime(targets=[target])),
        CHAT,
        {},
        board=HealthBoard(),
        endpoints=lambda _: (),
        draw=lambda: 0.0,
        now=0.0,
    )
    refusal = without_choices(found)
    assert (refusal.status, refusal.code) == (503, "no_backend")
    assert refusal.message == (
        "a/chat has no backend to ask. All its backends are out of the configuration: see the object's conditions."
    )
