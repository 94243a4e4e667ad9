"""The operator on a real API server: `kubectl apply`, and the fleet runs it and the object says so."""

import gzip
import json
import time
from base64 import b64decode

from harness.apiserver import ApiServer
from harness.figures import tell, tell_all
from harness.gateway import Gateway, gateway
from harness.manifests import provider, route, secret
from understudy_operator.cluster import CONFIG_MAPS, EVENTS, OBJECTS, SECRETS, Query

CANARY = "sk-canary-5f1d"


async def _apply_all(gw: Gateway, *, key: str = CANARY) -> None:
    """A key, a provider that uses it, and a route."""
    await gw.apply(
        secret("key", namespace=gw.namespace, key=key),
        provider("main", namespace=gw.namespace, secret_name="key"),
        route("chat", namespace=gw.namespace),
    )


async def test_applied_is_live_and_says_so(apiserver: ApiServer) -> None:
    """A route that was applied is on every proxy, and its status tells so, in one write."""
    async with gateway(apiserver) as gw:
        began = time.monotonic()
        await _apply_all(gw)
        chat = route("chat", namespace=gw.namespace)
        programmed = await gw.says(chat, "Programmed", "True Programmed")
        tell("apply to Programmed", time.monotonic() - began)
        await gw.says(chat, "Ready", "True Ready")
        revision = (await gw.status(chat))["revision"]
        assert programmed["message"] == f"Live on 3/3 proxies at revision {revision}"
        assert {proxy.revision for proxy in gw.proxies} == {revision}
        assert "LLMRoute/" + f"{gw.namespace}/chat" in (await gw.published()).config.targets


async def test_each_edit_is_live_within_a_second_or_so(apiserver: ApiServer) -> None:
    """Twenty edits, one after the other, each confirmed by every proxy; the times are printed."""
    async with gateway(apiserver) as gw:
        await _apply_all(gw)
        chat = route("chat", namespace=gw.namespace)
        await gw.says(chat, "Programmed", "True Programmed")
        seconds = []
        for attempts in range(1, 21):
            edited = route(
                "chat", namespace=gw.namespace, retry={"attempts": attempts % 5 + 1, "budgetPercent": attempts}
            )
            applied = await gw.apply(edited)
            await gw.says(edited, "Programmed", "True Programmed")
            seconds.append(time.monotonic() - applied)
        tell_all("edit to Programmed", seconds)
        statuses = await gw.operators[0].metric('status_writes_total{outcome="written"}')
        assert statuses == 22, "one for each new object, and one for each edit"


async def test_nothing_of_a_users_object_but_its_status_is_written(apiserver: ApiServer) -> None:
    """No annotation, no finalizer, no label: the operator owns the status and nothing else."""
    async with gateway(apiserver) as gw:
        before = route("chat", namespace=gw.namespace)
        await _apply_all(gw)
        await gw.says(before, "Ready", "True Ready")
        found = await gw.cluster.get(Query(OBJECTS["LLMRoute"], gw.namespace, "chat"))
        server_made = {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"}
        assert found["metadata"].keys() - server_made == {"name", "namespace"}
        assert found["spec"] == before["spec"]
        writers = {(entry["operation"], entry.get("subresource", "")) for entry in found["metadata"]["managedFields"]}
        assert writers == {("Apply", ""), ("Apply", "status")}


async def test_a_secret_is_only_ever_in_secrets(apiserver: ApiServer) -> None:
    """The key is in the credentials that proxies load, and in no ConfigMap, status, event or log line."""
    async with gateway(apiserver, operator=False) as gw:
        operator = await gw.start_operator(log_level="debug")
        await _apply_all(gw)
        broken = provider(
            "broken",
            namespace=gw.namespace,
            secret_name="key",
            auth={"apiKey": {"secretKeyRef": {"name": "key", "key": "no"}}},
        )
        await gw.apply(broken)
        await gw.says(broken, "ResolvedRefs", "False KeyNotFound")
        await gw.until_live([CANARY])
        types = (CONFIG_MAPS, EVENTS, *OBJECTS.values())
        found = [item for type_ in types for item in await gw.cluster.find(Query(type_, gw.namespace))]
        packed = [gzip.decompress(b64decode(shard)) for item in found for shard in item.get("binaryData", {}).values()]
        assert len(packed) >= 2
        everything = json.dumps(found) + repr(packed)
        everything += operator.process.log.read_text()
        assert CANARY not in everything
        assert CANARY.encode().hex() not in everything
        credentials = await gw.cluster.find(
            Query(SECRETS, gw.namespace, labels="app.kubernetes.io/component=configuration")
        )
        assert any(
            CANARY in gzip.decompress(b64decode(value)).decode()
            for item in credentials
            for value in item["data"].values()
        )


async def test_a_rotated_key_is_live_at_once(apiserver: ApiServer) -> None:
    """The Secret needs no label: objects that name it are enough for it to be watched."""
    async with gateway(apiserver) as gw:
        await _apply_all(gw, key="sk-old")
        await gw.until_live(["sk-old"])
        applied = await gw.apply(secret("key", namespace=gw.namespace, key="sk-new"))
        await gw.until_live(["sk-new"])
        tell("rotation to live", time.monotonic() - applied)
        assert await gw.operators[0].metric("reference_watches") == 1


async def test_a_missing_secret_is_told_and_then_found(apiserver: ApiServer) -> None:
    """Applied in the wrong order, everything comes right without another touch."""
    async with gateway(apiserver) as gw:
        main, chat = provider("main", namespace=gw.namespace, secret_name="key"), route("chat", namespace=gw.namespace)
        await gw.apply(main, chat)
        said = await gw.says(main, "ResolvedRefs", "False SecretNotFound")
        assert "key" in said["message"]
        await gw.says(main, "Programmed", "False NotServed")
        applied = await gw.apply(secret("key", namespace=gw.namespace, key="sk-1"))
        await gw.says(chat, "Ready", "True Ready")
        await gw.says(main, "Ready", "True Ready")
        tell("Secret created to Ready", time.monotonic() - applied)


async def test_a_deleted_secret_is_noticed(apiserver: ApiServer) -> None:
    """What named it says so, and the rest goes on."""
    async with gateway(apiserver) as gw:
        await _apply_all(gw)
        await gw.apply(provider("free", namespace=gw.namespace))
        await gw.says(provider("main", namespace=gw.namespace), "Ready", "True Ready")
        await gw.delete(secret("key", namespace=gw.namespace))
        await gw.says(provider("main", namespace=gw.namespace), "Ready", "False SecretNotFound")
        await gw.says(provider("free", namespace=gw.namespace), "Ready", "True Ready")


async def test_a_broken_object_stops_no_other(apiserver: ApiServer) -> None:
    """A route to nowhere says what is wrong with it, and its neighbor is live."""
    async with gateway(apiserver) as gw:
        await _apply_all(gw)
        broken = route("broken", namespace=gw.namespace, providers=("nobody",))
        half = route("half", namespace=gw.namespace, providers=("main", "nobody"))
        await gw.apply(broken, half)
        await gw.says(broken, "Programmed", "False NotServed")
        said = await gw.says(half, "Ready", "True Degraded")
        assert "nobody" in said["message"]
        await gw.says(route("chat", namespace=gw.namespace), "Ready", "True Ready")
        events = await gw.cluster.find(Query(EVENTS, gw.namespace))
        told = {(item["regarding"]["name"], item["type"]) for item in events}
        assert {("broken", "Warning"), ("half", "Normal"), ("chat", "Normal")} <= told


async def test_a_proxy_that_refuses_is_quoted(apiserver: ApiServer) -> None:
    """What a proxy says against a revision reaches the author of the change, and nobody else."""
    async with gateway(apiserver) as gw:
        await _apply_all(gw)
        await gw.says(route("chat", namespace=gw.namespace), "Ready", "True Ready")
        gw.proxies[1].refuses = "the dialect is unknown here"
        new = route("new", namespace=gw.namespace)
        await gw.apply(new)
        said = await gw.says(new, "Programmed", "False Rejected")
        assert said["message"].startswith("1/3 proxies refuse revision ")
        assert "proxy-1 says: the dialect is unknown here" in said["message"]
        await gw.says(route("chat", namespace=gw.namespace), "Ready", "True Ready")


async def test_no_proxies_yet(apiserver: ApiServer) -> None:
    """Installed before its proxies, the gateway says that there are none."""
    async with gateway(apiserver, proxies=0) as gw:
        await _apply_all(gw)
        await gw.says(route("chat", namespace=gw.namespace), "Programmed", "False NoProxies")


async def test_what_was_published_is_put_right(apiserver: ApiServer) -> None:
    """Somebody deletes the head: it is back at once, and proxies that start meanwhile lose nothing."""
    async with gateway(apiserver) as gw:
        await _apply_all(gw)
        await gw.says(route("chat", namespace=gw.namespace), "Ready", "True Ready")
        good = await gw.published()
        await gw.cluster.delete(CONFIG_MAPS, (gw.namespace, "understudy-config"))
        operator = gw.operators[0]
        published = operator.logged("published")
        await gw.until(lambda: operator.logged("published") > published, what="it is published again")
        assert await gw.published() == good


async def test_health_and_metrics(apiserver: ApiServer) -> None:
    """A leader that works says so to probes and Prometheus."""
    async with gateway(apiserver) as gw:
        await _apply_all(gw)
        await gw.says(route("chat", namespace=gw.namespace), "Ready", "True Ready")
        operator = gw.operators[0]
        assert await operator.fetch("/healthz") == (200, "leading\n")
        assert await operator.fetch("/readyz") == (200, "leading\n")
        assert await operator.metric("leader") == 1
        assert await operator.metric('proxy_pods{state="confirmed"}') == 3
        assert await operator.metric('objects{kind="LLMRoute",verdict="serving"}') == 1
        assert await operator.metric("apply_to_confirmed_seconds_count") >= 1
        assert not [line for line in operator.lines if line["level"] in ("warning", "error")]
