"""What is made ready when a configuration loads, and what is left out."""

import ssl
from pathlib import Path

import pytest

from harness.runtimes import a_backend, a_model, a_provider, a_rule, a_runtime, a_target
from understudy_api.config import (
    TLS,
    AuthHeader,
    Config,
    CredentialRef,
    Credentials,
    OnInterruption,
    Provider,
    Snapshot,
    Target,
    TargetKind,
)
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Runtime

CA = Path(ssl.get_default_verify_paths().openssl_cafile)


def built(*providers: Provider, targets: tuple[Target, ...] = (), **secrets: str) -> Runtime:
    """A runtime of these providers, by their own keys, and these credentials."""
    config = Config(
        revision="r1",
        providers={f"{provider.namespace}/{provider.name}": provider for provider in providers},
        targets={f"{target.kind.value}/{target.namespace}/{target.name}": target for target in targets},
    )
    return build(Snapshot(config, Credentials(revision="r1", values=secrets)), now=1.0)


def with_key(provider: Provider, name: str = "k") -> Provider:
    """The provider with a credential."""
    return provider.model_copy(update={"credential": CredentialRef(name=name, version="1")})


def test_carries_complete_headers() -> None:
    """A request finds every header that its provider needs, the API key among them, and builds none."""
    provider = with_key(a_provider("ai/main", "m")).model_copy(update={"headers": {"X-Team": "search"}})
    headers = built(provider, k="sk-secret").upstreams["ai/main"].headers
    assert headers["authorization"] == "Bearer sk-secret"
    assert headers["x-team"] == "search"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        pytest.param(AuthHeader.AUTHORIZATION, "Bearer sk-secret", id="most vendors"),
        pytest.param(AuthHeader.X_API_KEY, "sk-secret", id="Anthropic"),
        pytest.param(AuthHeader.X_GOOG_API_KEY, "sk-secret", id="Google"),
        pytest.param(AuthHeader.API_KEY, "sk-secret", id="Azure"),
    ],
)
def test_sends_the_key_as_its_vendor_wants_it(header: AuthHeader, value: str) -> None:
    """In one header, and in no other."""
    provider = with_key(a_provider("ai/main", "m")).model_copy(update={"auth_header": header})
    headers = built(provider, k="sk-secret").upstreams["ai/main"].headers
    assert {str(header): value} == {name: said for name, said in headers.items() if "sk-secret" in said}


@pytest.mark.parametrize("wanted", OnInterruption)
def test_knows_what_a_broken_stream_does(wanted: OnInterruption) -> None:
    """As the route says."""
    target = a_target("ai/chat", a_rule(a_backend("ai/main", "m"))).model_copy(update={"on_interruption": wanted})
    runtime = built(a_provider("ai/main", "m"), targets=(target,))
    assert runtime.targets["LLMRoute/ai/chat"].on_interruption is wanted


def test_trims_the_line_break_that_echo_leaves() -> None:
    """A key from `echo KEY | kubectl create secret` works."""
    headers = built(with_key(a_provider("ai/main", "m")), k="sk-secret\n").upstreams["ai/main"].headers
    assert headers["authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize(
    ("provider", "secrets", "why"),
    [
        pytest.param(with_key(a_provider("ai/main", "m")), {}, "came without a value", id="no credential"),
        pytest.param(with_key(a_provider("ai/main", "m")), {"k": " \n"}, "came without a value", id="blank"),
        pytest.param(with_key(a_provider("ai/main", "m")), {"k": "a\nb"}, "line breaks", id="header injection"),
        pytest.param(
            a_provider("ai/main", "m").model_copy(update={"base_url": "ftp://x/"}), {}, "http(s)://", id="other scheme"
        ),
        pytest.param(
            a_provider("ai/main", "m").model_copy(update={"base_url": "http://[::1"}), {}, "not a URL", id="no URL"
        ),
        pytest.param(
            a_provider("ai/main", "m").model_copy(update={"tls": TLS(ca_pem="no PEM")}), {}, "CA bundle", id="bad CA"
        ),
        pytest.param(
            a_provider("ai/main", "m").model_copy(update={"headers": {"x": "a\r\nb: c"}}), {}, "header 'x'", id="header"
        ),
    ],
)
def test_leaves_out_what_cannot_be_called(provider: Provider, secrets: dict[str, str], why: str) -> None:
    """One unusable provider is out, by name and with the reason; the others serve."""
    rule = a_rule(a_backend("ai/main", "m"), a_backend("ai/other", "m", priority=1))
    runtime = built(provider, a_provider("ai/other", "m"), targets=(a_target("ai/chat", rule),), **secrets)
    assert list(runtime.out) == ["ai/main"]
    assert why in runtime.out["ai/main"]
    (tier,) = runtime.targets["LLMRoute/ai/chat"].rules[0].tiers
    assert [candidate.key for candidate in tier] == ["ai/other:m"]


def test_reasons_never_show_the_secret() -> None:
    """Why a provider is out goes to logs and `/config`; its key does not."""
    runtime = built(with_key(a_provider("ai/main", "m")), k="sk-secret\nsk-more")
    assert "sk-" not in runtime.out["ai/main"]


def test_repr_never_shows_a_secret() -> None:
    """An upstream in a debug line or a traceback does not show its key."""
    runtime = built(with_key(a_provider("ai/main", "m")), k="sk-secret")
    assert "sk-secret" not in repr(runtime)
    assert "sk-secret" not in repr(runtime.upstreams["ai/main"])


def test_keeps_a_rule_without_backends() -> None:
    """A rule whose backends are all out still matches: its requests must not fall through to another rule."""
    provider = with_key(a_provider("ai/main", "m"))
    runtime = built(provider, targets=(a_target("ai/chat", a_rule(a_backend("ai/main", "m"))),))
    (rule,) = runtime.targets["LLMRoute/ai/chat"].rules
    assert rule.tiers == ()


def test_orders_tiers_by_priority() -> None:
    """The lowest priority number is asked first, however the backends are listed."""
    rule = a_rule(
        a_backend("ai/a", "m", priority=7), a_backend("ai/b", "m"), a_backend("ai/c", "m", priority=7, weight=3)
    )
    providers = [a_provider(f"ai/{name}", "m") for name in "abc"]
    runtime = a_runtime(*providers, targets=[a_target("ai/chat", rule)])
    tiers = runtime.targets["LLMRoute/ai/chat"].rules[0].tiers
    assert [[candidate.key for candidate in tier] for tier in tiers] == [["ai/b:m"], ["ai/a:m", "ai/c:m"]]
    assert [(c.weight, c.priority) for tier in tiers for c in tier] == [(1, 0), (1, 7), (3, 7)]


def test_shares_plain_candidates() -> None:
    """Thousands of routes to one model cost one candidate."""
    rules = [a_target(f"ai/r{number}", a_rule(a_backend("ai/main", "m"))) for number in range(3)]
    runtime = a_runtime(a_provider("ai/main", "m"), targets=rules)
    candidates = {target.rules[0].tiers[0][0] for target in runtime.targets.values()}
    assert {runtime.upstreams["ai/main"].candidates["m"]} == candidates


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        pytest.param(TargetKind.ROUTE, "ai/chat", id="route"),
        pytest.param(TargetKind.PERSONA, "persona/ai/chat", id="persona"),
    ],
)
def test_labels_a_target(kind: TargetKind, label: str) -> None:
    """A route and a persona of one name are told apart in headers, metrics and logs."""
    runtime = a_runtime(targets=[a_target("ai/chat", a_rule(), kind=kind)])
    assert [label] == [target.label for target in runtime.targets.values()]


def test_makes_a_target_of_each_model() -> None:
    """`provider/model` is a target with that one backend, visible to whom the provider is."""
    provider = a_provider("ai/main", serves={"m": a_model(upstream_name="real")}, visible_to=("web",))
    direct = a_runtime(provider).upstreams["ai/main"].direct["m"]
    assert [[candidate.upstream_model for candidate in tier] for tier in direct.rules[0].tiers] == [["real"]]
    assert direct.label == "provider/ai/main"
    assert frozenset({"ai", "web"}) == direct.visible_to


@pytest.mark.skipif(not CA.is_file(), reason="the system has no bundle of certificates in one file")
def test_keeps_one_tls_context_for_equal_settings() -> None:
    """Connections stay pooled over reloads, and a bundle is parsed once."""
    tls = TLS(ca_pem=CA.read_text(), server_name="inner.example")
    provider = a_provider("ai/main", "m").model_copy(update={"tls": tls})
    first, second = built(provider).upstreams["ai/main"], built(provider).upstreams["ai/main"]
    assert isinstance(first.ssl, ssl.SSLContext)
    assert first.ssl is second.ssl
    assert first.server_name == "inner.example"
