"""Probing ejected endpoints: they are back as soon as they are well, and asked no longer than that."""

import asyncio
import json

import pytest

from harness.asking import ask
from harness.gateways import KEY, Serving, in_order, provider, route, snapshot
from harness.raw_http import eventually
from harness.raw_upstream import Line, RawUpstream, Received, ok
from understudy.mock import Mock
from understudy_api.config import HealthPolicy, Probe, Snapshot

# The first failure ejects, and the ejection would not end by itself while a test runs.
LONG = HealthPolicy(
    consecutive_failures=1,
    ejection_seconds=600,
    max_ejection_seconds=600,
    probe=Probe(path="/healthz", interval_seconds=0.02),
)
ANSWER = ok(json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}).encode())
REFUSAL = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


class _Patient:
    """An upstream that refuses everything while it is unwell, and remembers how it was probed."""

    def __init__(self) -> None:
        self.well = False
        self.probes: list[Received] = []
        self.asked = 0

    async def serve(self, line: Line) -> None:
        """Answer as it is."""
        while True:
            request = await line.request()
            if request.line.startswith("GET"):
                self.probes.append(request)
            else:
                self.asked += 1
            await line.send(ANSWER if self.well else REFUSAL)


def _served(raw: RawUpstream, mock: Mock, health: HealthPolicy = LONG) -> Snapshot:
    providers = [provider("a", f"http://127.0.0.1:{raw.port}", health=health), provider("b", mock.url)]
    return snapshot(providers, [route("chat", *in_order("a", "b"))])


async def _answers(gateway: Serving, expected: str) -> None:
    """Wait until `expected` answers."""
    async with asyncio.timeout(10):
        while (await ask(gateway.port)).header("provider") != expected:  # noqa: ASYNC110 - asking is the wait
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("fault", ["refuses", "is gone"])
async def test_a_probe_ends_an_ejection(fault: str) -> None:
    """An ejected backend is asked for its health, and is back with the first good answer: at no caller's expense."""
    patient = _Patient()
    async with RawUpstream(patient.serve) as raw, Mock(name="b") as b, Serving(_served(raw, b)) as gateway:
        if fault == "is gone":
            raw.refusing = True
        assert (await ask(gateway.port)).header("provider") == "default/b"
        asked = patient.asked
        assert {"1"} == {(await ask(gateway.port)).header("attempts") for _ in range(5)}
        patient.well, raw.refusing = True, False
        await _answers(gateway, "default/a")
        assert patient.asked == asked + 1


async def test_what_a_probe_looks_like() -> None:
    """It is a GET at the host, not below the base URL, with the provider's own headers."""
    patient = _Patient()
    async with RawUpstream(patient.serve) as raw, Mock(name="b") as b, Serving(_served(raw, b)) as gateway:
        await ask(gateway.port)
        await eventually(lambda: len(patient.probes) > 2)
        assert {"GET /healthz HTTP/1.1"} == {probe.line for probe in patient.probes}
        assert {f"Bearer {KEY}"} == {probe.headers["authorization"] for probe in patient.probes}
        assert patient.asked == 1


async def test_a_healthy_backend_is_not_probed() -> None:
    """Probes cost the provider something, so they end with the ejection."""
    patient = _Patient()
    async with RawUpstream(patient.serve) as raw, Mock(name="b") as b, Serving(_served(raw, b)) as gateway:
        await ask(gateway.port)
        patient.well = True
        await _answers(gateway, "default/a")
        probes = len(patient.probes)
        await asyncio.sleep(0.2)  # ten intervals: what must not happen has no event to wait for
        assert probes == len(patient.probes)


async def test_a_provider_that_is_gone_is_not_probed() -> None:
    """When a configuration no longer holds a provider, nobody asks for its health any more."""
    patient = _Patient()
    async with RawUpstream(patient.serve) as raw, Mock(name="b") as b, Serving(_served(raw, b)) as gateway:
        await ask(gateway.port)
        await eventually(lambda: len(patient.probes) > 0)
        assert await gateway.source.push(snapshot([provider("b", b.url)], [route("chat", *in_order("b"))]))
        await asyncio.sleep(0.05)  # one that is under way may still arrive
        probes = len(patient.probes)
        await asyncio.sleep(0.2)
        assert probes == len(patient.probes)


async def test_without_a_probe_a_trial_decides() -> None:
    """A backend without a probe gets no GET; a caller's request tries it when the ejection ends."""
    short = HealthPolicy(ejection_seconds=0.05, max_ejection_seconds=0.05)
    patient = _Patient()
    async with RawUpstream(patient.serve) as raw, Mock(name="b") as b, Serving(_served(raw, b, short)) as gateway:
        await ask(gateway.port)
        patient.well = True
        await _answers(gateway, "default/a")
        assert patient.probes == []
