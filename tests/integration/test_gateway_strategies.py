"""The strategies as a caller sees them: YAML says how one of several backends is chosen, and so it is.

All backends have the same priority; who answered is read from the answer's own header.
"""

import asyncio
import itertools
from collections import Counter
from pathlib import Path

from harness.asking import ask
from harness.gateways import Serving
from harness.raw_http import eventually
from understudy.local import from_files
from understudy.mock import Mock, Settings
from understudy_api.config import Snapshot

PROVIDER = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: {name}}}
spec:
  type: OpenAICompatible
  baseURL: {url}/v1
  models: [{{name: m, pricing: {{inputPerMillion: "{price}", outputPerMillion: "{price}"}}}}]
---
"""
ROUTE = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {{name: chat}}
spec:
  rules:
    - strategy: {strategy}
      backends:
        - {{providerRef: {{name: a}}, model: m, weight: 9}}
        - {{providerRef: {{name: b}}, model: m, weight: 1}}
"""


def _served(folder: Path, strategy: str, *, a: Mock, b: Mock) -> Snapshot:
    """What these objects amount to; `a` costs three times as much as `b`, and has nine times its weight."""
    objects = PROVIDER.format(name="a", url=a.url, price="3") + PROVIDER.format(name="b", url=b.url, price="1")
    (folder / "objects.yaml").write_text(objects + ROUTE.format(strategy=strategy))
    read = from_files((str(folder),), environment={}, namespace="default")
    assert () == read.findings
    return read.snapshot


async def _answering(gateway: Serving, times: int, *, stream: bool = False) -> list[str]:
    """Who answers so many requests, one after the other."""
    return [(await ask(gateway.port, stream=stream)).header("provider") or "nobody" for _ in range(times)]


async def test_weighted_gives_shares(tmp_path: Path) -> None:
    """Nine in ten go to the backend of weight 9; chance would miss these bounds once in a billion runs."""
    async with Mock(name="a") as a, Mock(name="b") as b, Serving(_served(tmp_path, "Weighted", a=a, b=b)) as gateway:
        shares = Counter(await _answering(gateway, 400))
    assert {"default/a", "default/b"} == shares.keys()
    assert 5 <= shares["default/b"] <= 90


async def test_round_robin_takes_turns(tmp_path: Path) -> None:
    """Whoever answered last is not asked next."""
    async with Mock(name="a") as a, Mock(name="b") as b, Serving(_served(tmp_path, "RoundRobin", a=a, b=b)) as gateway:
        answered = await _answering(gateway, 10)
    assert {"default/a", "default/b"} == set(answered)
    assert all(one != following for one, following in itertools.pairwise(answered))


async def test_least_busy_avoids_the_busy(tmp_path: Path) -> None:
    """While one backend has a request under way and the other is idle, the idle one is asked."""
    async with Mock(name="a") as a, Mock(name="b") as b, Serving(_served(tmp_path, "LeastBusy", a=a, b=b)) as gateway:
        b.set_faults(["stall"])
        held = []
        while not b.stats.in_flight:  # both are idle at first, and either may be asked
            held.append(asyncio.create_task(ask(gateway.port, stream=True)))
            await eventually(lambda: a.stats.requests + b.stats.requests == len(held))
        await eventually(lambda: a.stats.in_flight == 0)
        assert {"default/a": 20} == Counter(await _answering(gateway, 20))
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def test_lowest_latency_prefers_the_fast(tmp_path: Path) -> None:
    """Once each has been measured, the fast one is asked; what is measured of streams is their first token."""
    slow = Settings(first_token_delay=1.0)
    async with (
        Mock(name="a", settings=slow) as a,
        Mock(name="b") as b,
        Serving(_served(tmp_path, "LowestLatency", a=a, b=b)) as gateway,
    ):
        looks = await _answering(gateway, 2, stream=True)
        assert {"default/a", "default/b"} == set(looks)
        assert {"default/b": 20} == Counter(await _answering(gateway, 20, stream=True))


async def test_lowest_cost_prefers_the_cheap_until_it_fails(tmp_path: Path) -> None:
    """The price of the objects decides, not the weight; the dear one is the understudy."""
    async with Mock(name="a") as a, Mock(name="b") as b, Serving(_served(tmp_path, "LowestCost", a=a, b=b)) as gateway:
        assert {"default/b": 20} == Counter(await _answering(gateway, 20))
        await b.stop()
        assert {"default/a": 10} == Counter(await _answering(gateway, 10))
