"""Many objects, and much in them: a thousand routes, and a configuration beyond what one object holds."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from harness.apiserver import ApiServer
from harness.control_plane import ControlPlane, Operator, control_plane
from harness.figures import tell
from harness.manifests import provider, route
from understudy_operator.cluster import CONFIG_MAPS, OBJECTS, SECRETS, Query

ROUTES = 1000
_WRITTEN = 'status_writes_total{outcome="written"}'
_RINGS = 'cycles_total{trigger="doorbell"}'


def _when(operator: Operator, message: str) -> float:
    """When it logged something first, as seconds of an epoch."""
    line = next(line for line in operator.lines if line["message"] == message)
    return datetime.fromisoformat(line["time"]).timestamp()


async def test_a_thousand_routes(apiserver: ApiServer) -> None:
    """All of them live; the times are printed."""
    async with _with_routes(apiserver) as (plane, operator):
        seconds = _when(operator, "every proxy runs it") - _when(operator, "leading")
        tell("1,000 new routes: from leading to every proxy", seconds)
        tell("1,000 routes: compile, mean", await _mean(operator, "compile_seconds"))
        tell("1,000 routes: publish, mean", await _mean(operator, "publish_seconds"))
        edited = route("route-500", namespace=plane.namespace, retry={"attempts": 5})
        before, cycles = await operator.metric(_WRITTEN), await operator.metric(_RINGS)
        published = operator.logged("published")
        applied = await plane.apply(edited)
        await plane.until(lambda: operator.logged("published") > published, what="the edit is published")
        tell("one edit of 1,000 routes: to published", time.monotonic() - applied)
        await plane.says(edited, "Programmed", "True Programmed")
        tell("one edit of 1,000 routes: to Programmed", time.monotonic() - applied)
        await asyncio.sleep(1.0)
        assert await operator.metric(_WRITTEN) - before <= 2, "that one's, twice where a proxy took its time"
        assert await operator.metric(_RINGS) - cycles <= 2, "its own writes ring no bell"


async def test_a_new_leader_of_a_thousand_routes_writes_nothing(apiserver: ApiServer) -> None:
    """All that it needs to know is in the statuses and in what is published."""
    async with _with_routes(apiserver) as (plane, operator):
        restarted = await plane.start_operator()
        await asyncio.to_thread(operator.process.stop)
        await plane.until(lambda: restarted.logged("leading") == 1, what="the next one leads")
        await restarted.reaches("last_success_timestamp_seconds", 1)
        await restarted.reaches('proxy_pods{state="confirmed"}', 3)
        assert await restarted.metric(_WRITTEN) == 0
        assert restarted.logged("published") == 0


@asynccontextmanager
async def _with_routes(apiserver: ApiServer) -> AsyncIterator[tuple[ControlPlane, Operator]]:
    async with control_plane(apiserver, operator=False) as plane:
        await plane.apply(provider("main", namespace=plane.namespace))
        names = [f"route-{number}" for number in range(ROUTES)]
        await asyncio.gather(*(plane.apply(route(name, namespace=plane.namespace)) for name in names))
        operator = await plane.start_operator()
        await plane.all_ready("LLMRoute", ROUTES)
        yield plane, operator


async def _mean(operator: Operator, histogram: str) -> float:
    return await operator.metric(f"{histogram}_sum") / await operator.metric(f"{histogram}_count")


async def test_beyond_one_object(apiserver: ApiServer) -> None:
    """What does not fit a ConfigMap takes several, every proxy puts it together, and it shrinks again."""
    draw = random.Random(1)  # noqa: S311 - only to be incompressible
    async with control_plane(apiserver) as plane:
        big = [
            provider(
                f"p{number}",
                namespace=plane.namespace,
                headers={"set": {f"x-{header}": draw.randbytes(2000).hex() for header in range(16)}},
            )
            for number in range(60)
        ]
        await asyncio.gather(*(plane.apply(manifest) for manifest in big))
        applied = time.monotonic()
        await plane.until(
            lambda: all(proxy.loaded and len(proxy.loaded[-1].config.providers) == 60 for proxy in plane.proxies),
            what="every proxy runs all providers",
        )
        tell("2 MB of configuration: to every proxy", time.monotonic() - applied)
        labels = "app.kubernetes.io/component=configuration"
        shards = await plane.cluster.find(Query(CONFIG_MAPS, plane.namespace, labels=labels, metadata_only=True))
        assert len({item["metadata"]["name"][-1] for item in shards if item["metadata"]["name"][-2] == "-"}) >= 3
        for manifest in big[1:]:
            await plane.cluster.delete(OBJECTS["LLMProvider"], (plane.namespace, manifest["metadata"]["name"]))
        await plane.until(
            lambda: all(len(proxy.loaded[-1].config.providers) == 1 for proxy in plane.proxies),
            what="every proxy runs the one that is left",
        )
        await plane.apply(provider("p0", namespace=plane.namespace))
        await plane.says(provider("p0", namespace=plane.namespace), "Ready", "True Ready")
        for type_ in (CONFIG_MAPS, SECRETS):
            left = await plane.cluster.find(Query(type_, plane.namespace, labels=labels, metadata_only=True))
            names = {item["metadata"]["name"] for item in left}
            part = "config" if type_ is CONFIG_MAPS else "credentials"
            assert {f"understudy-{part}-a-0", f"understudy-{part}-b-0"} == names - {"understudy-config"}
