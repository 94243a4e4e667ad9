"""Where calls of tools go, over real sockets: only to addresses that were looked at, and to none that is home."""

import socket
from dataclasses import dataclass

import pytest

from harness.raw_upstream import RawUpstream, answering, ok
from harness.running_tools import called, running_tools
from harness.tools import ToolServer
from understudy_proxy.exchange.resolver import system_lookup

JSON = "content-type: application/json"
HOST = "tools.example.com"
METADATA = "169.254.169.254"


@dataclass
class Names:
    """A name server that answers in turn; the last answer stays."""

    answers: list[tuple[str, ...]]
    asked: int = 0

    def __call__(self, host: str, _port: int) -> tuple[str, ...]:
        """The addresses, each time as the script goes on."""
        assert HOST == host
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_no_such_name() -> None:
    """A name that nobody knows is an outcome, and says which name it was."""

    def nobody(host: str, _port: int) -> tuple[str, ...]:
        raise socket.gaierror(-2, f"Name or service not known: {host}")

    async with running_tools(nobody) as tools:
        outcome = await called(tools, f"http://{HOST}/")
    assert "unreachable" == outcome.kind
    assert f"{HOST} cannot be resolved" in (outcome.error or "")


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("::1",),
        ("0.0.0.0",),
        (METADATA,),
        ("fe80::1",),
        (f"::ffff:{METADATA}",),
        ("::ffff:127.0.0.1",),
        ("fd00:ec2::254",),
        ("100.100.100.200",),
        ("127.0.0.1", METADATA),
    ],
)
async def test_names_that_lead_home(addresses: tuple[str, ...]) -> None:
    """A host's name may not lead to the gateway's own machine or to a cloud's metadata."""
    async with ToolServer() as server, running_tools(Names([addresses])) as tools:
        outcome = await called(tools, f"http://{HOST}:{server.port}/echo")
    assert "forbidden_address" == outcome.kind, outcome
    assert addresses[0] in (outcome.error or "")
    assert [] == server.asked


@pytest.mark.parametrize("host", ["metadata.google.internal", "metadata", "instance-data", "localtest.me"])
async def test_names_of_metadata_servers(host: str) -> None:
    """Where such a name leads to the address, it is not called, whatever it is called."""
    async with running_tools(lambda _host, _port: (METADATA,)) as tools:
        outcome = await called(tools, f"http://{host}/computeMetadata/v1/")
    assert "forbidden_address" == outcome.kind


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "LOOPBACK.test"])
async def test_addresses_in_disguise(host: str) -> None:
    """What only the system reads as an address is a name, and leads home."""
    found: list[str] = []

    def system(name: str, port: int) -> tuple[str, ...]:
        addresses = ("127.0.0.1",) if name.endswith("test") else system_lookup(name, port)
        found.extend(addresses)
        return addresses

    async with ToolServer() as server, running_tools(system) as tools:
        outcome = await called(tools, f"http://{host}:{server.port}/echo")
    assert not outcome.success, found
    assert [] == server.asked


async def test_a_name_that_changes_its_mind() -> None:
    """What is connected to is what was looked at: each call asks once, and the second answer is looked at again."""
    names = Names([("192.0.2.1",), ("127.0.0.1",)])
    async with ToolServer() as server, running_tools(names) as tools:
        first = await called(tools, f"http://{HOST}:{server.port}/echo", seconds=0.2)
        assert 1 == names.asked
        second = await called(tools, f"http://{HOST}:{server.port}/echo", seconds=0.2)
    assert first.kind in {"timeout", "unreachable"}
    assert "forbidden_address" == second.kind
    assert [] == server.asked


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LocalHost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"]
)
async def test_addresses_that_are_named(host: str) -> None:
    """An object that writes the address itself means it."""
    async with ToolServer() as server, running_tools() as tools:
        outcome = await called(tools, f"http://{host}:{server.port}/echo")
    assert outcome.success, outcome
    assert 1 == len(server.asked)


async def test_the_network_around() -> None:
    """A name may lead to a private address: that is where tools live."""
    own = _own_address()
    if own is None:
        pytest.skip("this machine has no address but its own")
    async with RawUpstream(answering(ok(b"{}", JSON)), host=own) as upstream, running_tools(Names([(own,)])) as tools:
        outcome = await called(tools, f"http://{HOST}:{upstream.port}/")
    assert outcome.success, outcome


async def test_one_of_several_addresses() -> None:
    """Those that must not be called are left out, and the others are called."""
    own = _own_address()
    if own is None:
        pytest.skip("this machine has no address but its own")
    names = Names([("127.0.0.1", own)])
    async with RawUpstream(answering(ok(b"{}", JSON)), host=own) as upstream, running_tools(names) as tools:
        outcome = await called(tools, f"http://{HOST}:{upstream.port}/")
    assert outcome.success, outcome


async def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go nowhere else, whatever the environment says: a proxy would resolve the name anew."""
    async with ToolServer() as proxy, ToolServer() as server, running_tools() as tools:
        monkeypatch.setenv("HTTP_PROXY", proxy.url("/"))
        monkeypatch.setenv("http_proxy", proxy.url("/"))
        outcome = await called(tools, server.url())
    assert outcome.success
    assert [] == proxy.asked


def _own_address() -> str | None:
    """An address of this machine that is not loopback; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        own: str = probe.getsockname()[0]
    return None if own.startswith("127.") else own
