"""The operator on a real API server: `kubectl apply`, and the fleet runs it and the object says so."""

import gzip
import json
import time
from base64 import b64decode

from harness.apiserver import ApiServer
from harness.control_plane import ControlPlane, control_plane
from harness.figures import tell, tell_all
from harness.manifests import provider, route, secret, tool
from understudy_operator.cluster import CONFIG_MAPS, EVENTS, OBJECTS, SECRETS, Query

CANARY = "sk-canary-5f1d"


async def _apply_all(plane: ControlPlane, *, key: str = CANARY) -> None:
    """A key, a provider that uses it, and a route."""
    await plane.apply(
        secret("key", namespace=plane.namespace, key=key),
        provider("main", namespace=plane.namespace, secret_name="key"),
        route("chat", namespace=plane.namespace),
    )


async def test_applied_is_live_and_says_so(apiserver: ApiServer) -> None:
    """A route that was applied is on every proxy, and its status tells so, in one write."""
    async with control_plane(apiserver) as plane:
        began = time.monotonic()
        await _apply_all(plane)
        chat = route("chat", namespace=plane.namespace)
        programmed = await plane.says(chat, "Programmed", "True Programmed")
        tell("apply to Programmed", time.monotonic() - began)
        await plane.says(chat, "Ready", "True Ready")
        revision = (await plane.status(chat))["revision"]
        assert programmed["message"] == f"Live on 3/3 proxies at revision {revision}"
        assert {proxy.revision for proxy in plane.proxies} == {revision}
        assert "LLMRoute/" + f"{plane.namespace}/chat" in (await plane.published()).config.targets


async def test_each_edit_is_live_within_a_second_or_so(apiserver: ApiServer) -> None:
    """Twenty edits, one after the other, each confirmed by every proxy; the times are printed."""
    async with control_plane(apiserver) as plane:
        await _apply_all(plane)
        chat = route("chat", namespace=plane.namespace)
        await plane.says(chat, "Programmed", "True Programmed")
        seconds = []
        for attempts in range(1, 21):
            edited = route(
                "chat", namespace=plane.namespace, retry={"attempts": attempts % 5 + 1, "budgetPercent": attempts}
            )
            applied = await plane.apply(edited)
            await plane.says(edited, "Programmed", "True Programmed")
            seconds.append(time.monotonic() - applied)
        tell_all("edit to Programmed", seconds)
        written = 'status_writes_total{outcome="written"}'
        await plane.operators[0].reaches(written, 22)  # the last one is counted a moment after it can be seen
        statuses = await plane.operators[0].metric(written)
        assert statuses <= 44, "for each new object and each edit one, or two where a proxy took its time"


async def test_nothing_of_a_users_object_but_its_status_is_written(apiserver: ApiServer) -> None:
    """No annotation, no finalizer, no label: the operator owns the status and nothing else."""
    async with control_plane(apiserver) as plane:
        before = route("chat", namespace=plane.namespace)
        await _apply_all(plane)
        await plane.says(before, "Ready", "True Ready")
        found = await plane.cluster.get(Query(OBJECTS["LLMRoute"], plane.namespace, "chat"))
        server_made = {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"}
        assert found["metadata"].keys() - server_made == {"name", "namespace"}
        assert found["spec"] == before["spec"]
        writers = {(entry["operation"], entry.get("subresource", "")) for entry in found["metadata"]["managedFields"]}
        assert writers == {("Apply", ""), ("Apply", "status")}


async def test_a_secret_is_only_ever_in_secrets(apiserver: ApiServer) -> None:
    """The key is in the credentials that proxies load, and in no ConfigMap, status, event or log line."""
    async with control_plane(apiserver, operator=False) as plane:
        operator = await plane.start_operator(log_level="debug")
        await _apply_all(plane)
        broken = provider(
            "broken",
            namespace=plane.namespace,
            secret_name="key",
            auth={"apiKey": {"secretKeyRef": {"name": "key", "key": "no"}}},
        )
        await plane.apply(broken)
        await plane.says(broken, "ResolvedRefs", "False KeyNotFound")
        await plane.until_live([CANARY])
        await plane.posted(broken, "Warning KeyNotFound")
        types = (CONFIG_MAPS, EVENTS, *OBJECTS.values())
        found = [item for type_ in types for item in await plane.cluster.find(Query(type_, plane.namespace))]
        packed = [gzip.decompress(b64decode(shard)) for item in found for shard in item.get("binaryData", {}).values()]
        assert packed
        everything = json.dumps(found) + repr(packed)
        everything += operator.process.log.read_text()
        assert CANARY not in everything
        assert CANARY.encode().hex() not in everything
        credentials = await plane.cluster.find(
            Query(SECRETS, plane.namespace, labels="app.kubernetes.io/component=configuration")
        )
        assert any(
            CANARY in gzip.decompress(b64decode(value)).decode()
            for item in credentials
            for value in item["data"].values()
        )


async def test_a_rotated_key_is_live_at_once(apiserver: ApiServer) -> None:
    """The Secret needs no label: objects that name it are enough for it to be watched."""
    async with control_plane(apiserver) as plane:
        await _apply_all(plane, key="sk-old")
        await plane.until_live(["sk-old"])
        applied = await plane.apply(secret("key", namespace=plane.namespace, key="sk-new"))
        await plane.until_live(["sk-new"])
        tell("rotation to live", time.monotonic() - applied)
        assert await plane.operators[0].metric("reference_watches") == 1


async def test_a_missing_secret_is_told_and_then_found(apiserver: ApiServer) -> None:
    """Applied in the wrong order, everything comes right without another touch."""
    async with control_plane(apiserver) as plane:
        main, chat = (
            provider("main", namespace=plane.namespace, secret_name="key"),
            route("chat", namespace=plane.namespace),
        )
        await plane.apply(main, chat)
        said = await plane.says(main, "ResolvedRefs", "False SecretNotFound")
        assert "key" in said["message"]
        await plane.says(main, "Programmed", "False NotServed")
        applied = await plane.apply(secret("key", namespace=plane.namespace, key="sk-1"))
        await plane.says(chat, "Ready", "True Ready")
        await plane.says(main, "Ready", "True Ready")
        tell("Secret created to Ready", time.monotonic() - applied)


async def test_a_deleted_secret_is_noticed(apiserver: ApiServer) -> None:
    """What named it says so, and the rest goes on."""
    async with control_plane(apiserver) as plane:
        await _apply_all(plane)
        await plane.apply(provider("free", namespace=plane.namespace))
        await plane.says(provider("main", namespace=plane.namespace), "Ready", "True Ready")
        await plane.delete(secret("key", namespace=plane.namespace))
        await plane.says(provider("main", namespace=plane.namespace), "Ready", "False SecretNotFound")
        await plane.says(provider("free", namespace=plane.namespace), "Ready", "True Ready")


async def test_a_tools_token_comes_late_and_changes(apiserver: ApiServer) -> None:
    """A tool is there without its token, says which Secret it lacks, and gets each new value of it."""
    async with control_plane(apiserver) as plane:
        auth = {"bearer": {"secretKeyRef": {"name": "shop", "key": "token"}}}
        stock = tool("stock", namespace=plane.namespace, url="http://shop/", auth=auth)
        await plane.apply(stock)
        assert "shop" in (await plane.says(stock, "ResolvedRefs", "False SecretNotFound"))["message"]
        await plane.apply(secret("shop", namespace=plane.namespace, token="tok-1"))
        await plane.says(stock, "Ready", "True Ready")
        await plane.until_live(["tok-1"])
        await plane.apply(secret("shop", namespace=plane.namespace, token="tok-2"))
        await plane.until_live(["tok-2"])
        await plane.says(stock, "Programmed", "True Programmed")
        assert f"{plane.namespace}/stock" in (await plane.published()).config.tools


async def test_a_broken_object_stops_no_other(apiserver: ApiServer) -> None:
    """A route to nowhere says what is wrong with it, and its neighbor is live."""
    async with control_plane(apiserver) as plane:
        await _apply_all(plane)
        broken = route("broken", namespace=plane.namespace, providers=("nobody",))
        half = route("half", namespace=plane.namespace, providers=("main", "nobody"))
        await plane.apply(broken, half)
        await plane.says(broken, "Programmed", "False NotServed")
        said = await plane.says(half, "Ready", "True Degraded")
        assert "nobody" in said["message"]
        chat = route("chat", namespace=plane.namespace)
        await plane.says(chat, "Ready", "True Ready")
        await plane.posted(broken, "Warning BackendNotFound")
        await plane.posted(half, "Warning Degraded")
        await plane.posted(chat, "Normal Ready")


async def test_a_proxy_that_refuses_is_quoted(apiserver: ApiServer) -> None:
    """What a proxy says against a revision reaches the author of the change, and nobody else."""
    async with control_plane(apiserver) as plane:
        await _apply_all(plane)
        await plane.says(route("chat", namespace=plane.namespace), "Ready", "True Ready")
        plane.proxies[1].refuses = "the dialect is unknown here"
        new = route("new", namespace=plane.namespace)
        await plane.apply(new)
        said = await plane.says(new, "Programmed", "False Rejected")
        assert said["message"].startswith("1/3 proxies refuse revision ")
        assert "proxy-1 says: the dialect is unknown here" in said["message"]
        await plane.says(route("chat", namespace=plane.namespace), "Ready", "True Ready")


async def test_no_proxies_yet(apiserver: ApiServer) -> None:
    """Installed before its proxies, the gateway says that there are none."""
    async with control_plane(apiserver, proxies=0) as plane:
        await _apply_all(plane)
        await plane.says(route("chat", namespace=plane.namespace), "Programmed", "False NoProxies")


async def test_what_was_published_is_put_right(apiserver: ApiServer) -> None:
    """Somebody deletes the head: it is back at once, and proxies that start meanwhile lose nothing."""
    async with control_plane(apiserver) as plane:
        await _apply_all(plane)
        await plane.says(route("chat", namespace=plane.namespace), "Ready", "True Ready")
        good = await plane.published()
        await plane.cluster.delete(CONFIG_MAPS, (plane.namespace, "understudy-config"))
        operator = plane.operators[0]
        published = operator.logged("published")
        await plane.until(lambda: operator.logged("published") > published, what="it is published again")
        assert await plane.published() == good


async def test_health_and_metrics(apiserver: ApiServer) -> None:
    """A leader that works says so to probes and Prometheus."""
    async with control_plane(apiserver) as plane:
        await _apply_all(plane)
        await plane.says(route("chat", namespace=plane.namespace), "Ready", "True Ready")
        operator = plane.operators[0]
        assert await operator.fetch("/healthz") == (200, "leading\n")
        assert await operator.fetch("/readyz") == (200, "leading\n")
        assert await operator.metric("leader") == 1
        assert await operator.metric('proxy_pods{state="confirmed"}') == 3
        assert await operator.metric('objects{kind="LLMRoute",verdict="serving"}') == 1
        assert await operator.metric("apply_to_confirmed_seconds_count") >= 1
        assert not [line for line in operator.lines if line["level"] in ("warning", "error")]
