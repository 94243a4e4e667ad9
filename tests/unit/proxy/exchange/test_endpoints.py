"""Where an upstream answers: one endpoint, or one for each address behind its name."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from harness.gateways import in_order, provider, route, snapshot
from understudy_api.config import Provider
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Runtime, Upstream
from understudy_proxy.exchange.directory import Directory
from understudy_proxy.exchange.endpoints import Endpoints
from understudy_proxy.exchange.http.transport import HttpTransport
from understudy_proxy.exchange.resolver import Resolver
from understudy_proxy.routing.places import Absent, Endpoint


class _Dns:
    """What `headless` resolves to, and the time."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ("10.0.0.2", "10.0.0.1")
        self.now = 0.0

    def lookup(self, host: str, port: int) -> tuple[str, ...]:
        del port
        if host != "headless" or not self.addresses:
            raise OSError("no such name")
        return self.addresses


@pytest.fixture
def dns() -> _Dns:
    """A name server."""
    return _Dns()


@pytest.fixture
async def resolver(dns: _Dns) -> AsyncIterator[Resolver]:
    """A resolver that asks it."""
    made = Resolver(dns.lookup, fresh_seconds=5.0, now=lambda: dns.now)
    yield made
    await made.close()


def _made(resolver: Resolver) -> Endpoints:
    return Endpoints(resolver, Directory(HttpTransport(resolver)))


def _known(endpoints: Endpoints, upstream: Upstream) -> tuple[Endpoint, ...]:
    known = endpoints(upstream)
    assert not isinstance(known, Absent)
    return known


def _runtime(*providers: Provider) -> Runtime:
    names = [one.name for one in providers]
    return build(snapshot(providers, [route("chat", *in_order(*names))]), now=0.0)


def _headless(name: str = "vllm", host: str = "headless", **fields: Any) -> Provider:
    return provider(name, f"http://{host}:8000", per_address=True, **fields)


async def _ready(endpoints: Endpoints, runtime: Runtime) -> None:
    endpoints.use(runtime)
    await endpoints.ready(runtime.targets["LLMRoute/default/chat"])


async def test_a_plain_upstream_has_one_endpoint(resolver: Resolver) -> None:
    """Its key is the upstream's, and it is connected to by its URL."""
    runtime = _runtime(provider("a", "http://a:8000"))
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    assert _known(endpoints, runtime.upstreams["default/a"]) == (Endpoint("default/a"),)
    assert endpoints.known() == {"default/a"}


async def test_every_address_is_an_endpoint(resolver: Resolver) -> None:
    """Each address has a key of its own and the port of the URL."""
    runtime = _runtime(_headless())
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    expected = (
        Endpoint("default/vllm@10.0.0.1:8000", "10.0.0.1:8000"),
        Endpoint("default/vllm@10.0.0.2:8000", "10.0.0.2:8000"),
    )
    assert expected == _known(endpoints, runtime.upstreams["default/vllm"])


async def test_ipv6_addresses_are_written_in_brackets(resolver: Resolver, dns: _Dns) -> None:
    """A port can be told from an address."""
    dns.addresses = ("fd00::1",)
    runtime = _runtime(_headless())
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    assert _known(endpoints, runtime.upstreams["default/vllm"])[0].address == "[fd00::1]:8000"


async def test_a_server_with_two_families_counts_once(resolver: Resolver, dns: _Dns) -> None:
    """In a dual-stack cluster each pod has two addresses; the family that the system prefers is used."""
    dns.addresses = ("fd00::2", "fd00::1", "10.0.0.1", "10.0.0.2")
    runtime = _runtime(_headless())
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    made = _known(endpoints, runtime.upstreams["default/vllm"])
    assert ["[fd00::1]:8000", "[fd00::2]:8000"] == [endpoint.address for endpoint in made]


async def test_addresses_come_and_go(resolver: Resolver, dns: _Dns) -> None:
    """Old addresses are looked up again when they are used, in the background: that request still gets the old ones."""
    runtime = _runtime(_headless())
    upstream = runtime.upstreams["default/vllm"]
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    dns.addresses = ("10.0.0.9",)
    dns.now = 6.0
    assert len(_known(endpoints, upstream)) == 2
    await resolver.refresh("headless", 8000)
    assert ["10.0.0.9:8000"] == [endpoint.address for endpoint in _known(endpoints, upstream)]


async def test_who_is_gone_is_told(resolver: Resolver, dns: _Dns) -> None:
    """An address that its name resolves to no more is told once, so that connections to it are given up."""
    runtime = _runtime(_headless())
    upstream = runtime.upstreams["default/vllm"]
    endpoints = _made(resolver)
    gone: list[str] = []
    endpoints.gone = gone.append
    await _ready(endpoints, runtime)
    _known(endpoints, upstream)
    for addresses in (("10.0.0.1", "10.0.0.3"), ("10.0.0.3", "10.0.0.1")):
        dns.addresses = addresses
        await resolver.refresh("headless", 8000)
        _known(endpoints, upstream)
    assert ["10.0.0.2:8000"] == gone


async def test_a_failed_connection_asks_at_once(resolver: Resolver, dns: _Dns) -> None:
    """A pod that is gone is noticed at the first refused connection, not when the answer is old."""
    runtime = _runtime(_headless())
    upstream = runtime.upstreams["default/vllm"]
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    dns.addresses = ("10.0.0.9",)
    endpoints.failed(upstream)
    await resolver.refresh("headless", 8000)
    assert ["10.0.0.9:8000"] == [endpoint.address for endpoint in _known(endpoints, upstream)]


async def test_the_last_known_addresses_stay(resolver: Resolver, dns: _Dns) -> None:
    """A dead name server takes no endpoint away."""
    runtime = _runtime(_headless())
    upstream = runtime.upstreams["default/vllm"]
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    dns.addresses = ()
    dns.now = 3600.0
    await resolver.refresh("headless", 8000)
    assert len(_known(endpoints, upstream)) == 2


async def test_a_name_that_never_resolved_has_no_endpoint_yet(resolver: Resolver, dns: _Dns) -> None:
    """Such an upstream is passed over, and is back as soon as its name resolves."""
    dns.addresses = ()
    runtime = _runtime(_headless())
    upstream = runtime.upstreams["default/vllm"]
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    assert _known(endpoints, upstream) == ()
    dns.addresses = ("10.0.0.1",)
    await endpoints.ready(runtime.targets["LLMRoute/default/chat"])
    assert len(_known(endpoints, upstream)) == 1


async def test_a_huge_service_is_bounded(resolver: Resolver, dns: _Dns) -> None:
    """Each endpoint costs memory, so there is a most."""
    dns.addresses = tuple(f"10.0.{number // 256}.{number % 256}" for number in range(1000))
    runtime = _runtime(_headless())
    endpoints = _made(resolver)
    await _ready(endpoints, runtime)
    assert len(_known(endpoints, runtime.upstreams["default/vllm"])) == 256


async def test_a_reload_keeps_what_is_known(resolver: Resolver, dns: _Dns) -> None:
    """After a reload nobody waits for DNS again; what is no longer configured is forgotten."""
    endpoints = _made(resolver)
    await _ready(endpoints, _runtime(_headless("vllm"), _headless("old")))
    dns.addresses = ()
    runtime = _runtime(_headless("vllm"))
    endpoints.use(runtime)
    assert not endpoints.waiting
    assert len(_known(endpoints, runtime.upstreams["default/vllm"])) == 2
    assert {"vllm"} == {key.partition("@")[0].removeprefix("default/") for key in endpoints.known()}
