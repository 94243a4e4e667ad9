"""Reloading while requests run: nobody notices, and whoever asks is told the truth."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from harness.gateways import Pushed, Serving, backend, provider, route, snapshot
from harness.raw_http import PATIENCE_SECONDS, Answer, RawHttp, eventually, exchange
from harness.snapshots import KEY, KubeletVolume, a_snapshot, dangling, files_of
from understudy.mock import Mock, Settings
from understudy_api.config import Snapshot, encode
from understudy_api.config.shards import HEAD_KEY
from understudy_proxy.config.published import Published
from understudy_proxy.config.source import Source
from understudy_proxy.config.volume import Volume
from understudy_proxy.gateway import Gateway
from understudy_proxy.listening import listen
from understudy_proxy.settings import Settings as ProxySettings
from understudy_proxy.telemetry.logs import LogWriter
from understudy_proxy.telemetry.masking import Masker

CHAT = "/v1/chat/completions"


def question(**fields: Any) -> bytes:
    """A chat request."""
    return json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


async def ask(port: int, **fields: Any) -> Answer:
    """Ask the route `chat`."""
    return await exchange(port, "POST", CHAT, question(**fields))


def to(mock: Mock, *, name: str = "main", key: str = KEY) -> Snapshot:
    """The route `chat`, answered by `mock`."""
    return snapshot([provider(name, mock.url)], [route("chat", backend(name))], key=key)


@asynccontextmanager
async def gateway(source: Source) -> AsyncIterator[Gateway]:
    """A gateway that follows `source`, on free ports."""
    with LogWriter(lambda _lines: None) as writer:
        made = Gateway(
            ProxySettings(default_namespace="ai", drain_delay_seconds=0), source, writer=writer, masker=Masker()
        )
        await made.start(listen("127.0.0.1", 0), listen("127.0.0.1", 0))
        try:
            yield made
        finally:
            await made.close()


async def config_of(admin_port: int, query: str = "") -> dict[str, Any]:
    """What `/config` tells."""
    told: dict[str, Any] = (await exchange(admin_port, "GET", f"/config{query}")).json()
    return told


async def told_of(serving: Gateway, sign: str) -> dict[str, Any]:
    """Wait until `/config` holds `sign`, and return it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sign not in json.dumps(told := await config_of(serving.admin_port), separators=(",", ":")):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.02)
    return told


async def metrics_of(admin_port: int) -> dict[str, float]:
    """The metrics without labels, by name."""
    page = (await exchange(admin_port, "GET", "/metrics")).body.decode()
    return {sample.name: sample.value for family in parse(page) for sample in family.samples if not sample.labels}


async def test_a_reload_under_load_drops_nothing() -> None:
    """Twenty reloads between two providers, streams and whole answers running all the time: no failed request."""
    async with Mock(name="one") as one, Mock(name="two") as two, Serving(to(one)) as serving:
        answers: list[Answer] = []
        over = False

        async def load(*, stream: bool) -> None:
            while not over:
                answers.append(await ask(serving.port, stream=stream))

        running = [asyncio.create_task(load(stream=number % 2 == 0)) for number in range(8)]
        for number in range(20):
            assert await serving.source.push(to(two if number % 2 == 0 else one, name=f"p{number}"))
            seen = len(answers)
            await eventually(lambda seen=seen: len(answers) > seen + 8)  # type: ignore[misc] # bound at once
        over = True
        await asyncio.gather(*running)
        assert {(answer.status, answer.complete) for answer in answers} == {(200, True)}
        assert await serving.source.push(to(two, name="last"))
        assert (await ask(serving.port)).headers["x-understudy-provider"] == "default/last"


async def test_a_stream_keeps_the_configuration_it_began_with() -> None:
    """A stream that runs while its provider is taken out ends well; the next request goes where it now should."""
    slow = Settings(reply="one two three four five six", token_interval=0.05)
    async with Mock(name="old", settings=slow) as old, Mock(name="new") as new, Serving(to(old)) as serving:
        async with RawHttp(serving.port) as client:
            client.send("POST", CHAT, question(stream=True))
            await client.saw(b"two")
            assert await serving.source.push(to(new, name="other"))
            assert (await ask(serving.port)).headers["x-understudy-provider"] == "default/other"
            answer = await client.answer()
        assert answer.complete
        assert b"six" in answer.body
        assert answer.body.endswith(b"data: [DONE]\n\n")


async def test_a_rotated_key_is_used_at_once() -> None:
    """The next request after a rotation brings the new key, without a restart; the old one is never sent again."""
    strict = Mock(settings=Settings(require_key="key-number-one"))
    async with strict as mock, Serving(to(mock, key="key-number-one")) as serving:
        assert (await ask(serving.port)).status == 200
        mock.settings = Settings(require_key="key-number-two")
        rotated = to(mock, key="key-number-two")
        config = rotated.config.model_copy(update={"revision": "rotated"})
        credentials = rotated.credentials.model_copy(update={"revision": "rotated"})
        assert await serving.source.push(Snapshot(config, credentials))
        assert (await ask(serving.port)).status == 200


async def test_a_refused_configuration_changes_nothing_and_shows() -> None:
    """Requests go on; `/config`, readiness and metrics tell which revision is refused and why; a repair ends it."""
    async with Mock() as mock, Serving(to(mock)) as serving:
        admin = serving.gateway.admin_port
        good = to(mock).config.revision
        bad = dangling()
        assert not await serving.source.push(bad)
        assert (await ask(serving.port)).status == 200
        told = await config_of(admin)
        assert told["revision"] == good
        message = "the name 'chat' leads to the unknown target 'LLMRoute/ai/gone'"
        assert told["rejected"] == {"revision": bad.config.revision, "message": message}
        ready = await exchange(serving.port, "GET", "/health/ready")
        assert ready.status == 200
        assert bad.config.revision in ready.json()["checks"]["update"]["detail"]
        assert (await metrics_of(admin))["understudy_config_rejected"] == 1
        assert await serving.source.push(to(mock, name="repaired"))
        assert (await config_of(admin))["rejected"] is None
        metrics = await metrics_of(admin)
        assert (metrics["understudy_config_rejected"], metrics["understudy_config_rejections_total"]) == (0, 1)


async def test_a_provider_without_its_key_is_out_and_the_rest_serves() -> None:
    """One missing Secret is no outage: the understudy answers, and `/config` says who is out and why."""
    async with Mock() as mock:
        whole = snapshot(
            [provider("first", mock.url), provider("second", mock.url)],
            [route("chat", backend("first"), backend("second", priority=1))],
        )
        keyless = whole.config.providers["default/first"].model_copy(
            update={"credential": whole.config.providers["default/first"].credential.model_copy(update={"name": "x"})}  # type: ignore[union-attr]
        )
        config = whole.config.model_copy(update={"providers": {**whole.config.providers, "default/first": keyless}})
        async with Serving(Snapshot(config, whole.credentials)) as serving:
            assert (await ask(serving.port)).headers["x-understudy-provider"] == "default/second"
            out = (await config_of(serving.gateway.admin_port))["state"]["providersOut"]
    assert list(out) == ["default/first"]
    assert "came without a value" in out["default/first"]


async def test_says_so_while_there_is_no_configuration() -> None:
    """A gateway without its first configuration: 503 with Retry-After, not ready, alive; then it serves."""
    source = Pushed()
    async with Mock() as mock, gateway(source) as waiting:
        refused = await ask(waiting.port)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["error"]["code"] == "no_configuration"
        assert (await exchange(waiting.port, "GET", "/health/ready")).status == 503
        assert (await exchange(waiting.port, "GET", "/health/live")).status == 200
        told = await config_of(waiting.admin_port)
        assert (told["revision"], told["loadedAt"], told["source"]) == (None, None, None)
        await source.push(a_snapshot(mock.url))
        assert (await ask(waiting.port)).status == 200
        assert (await exchange(waiting.port, "GET", "/health/ready")).status == 200


@pytest.mark.parametrize(
    ("files", "sign"),
    [
        pytest.param({HEAD_KEY: b"{}"}, "the head is not readable", id="no head"),
        pytest.param(files_of(encode(a_snapshot(schema="2.0"), slot="b")), "upgrade the proxies", id="newer major"),
        pytest.param(files_of(encode(dangling(), slot="b")), "leads to the unknown target", id="invalid"),
        pytest.param(
            {HEAD_KEY: files_of(encode(a_snapshot(route="b"), slot="b"))[HEAD_KEY]}, "not whole: config-b-0", id="half"
        ),
        pytest.param({}, "holds no readable configuration", id="gone"),
    ],
)
async def test_keeps_serving_from_a_volume(tmp_path: Path, files: dict[str, bytes], sign: str) -> None:
    """Whatever appears in the volume shows in `/config`, and requests go on with the last good configuration."""
    kubelet = KubeletVolume(tmp_path / "volume")
    async with Mock() as mock:
        good = a_snapshot(mock.url)
        kubelet.publish(good)
        loop = asyncio.get_running_loop()
        source = Published(api=None, volume=Volume(kubelet.path), timer=loop.time, draw=lambda: 0.5)
        async with gateway(source) as serving:
            assert await serving.configured(within_seconds=5)
            kubelet.swap(files)
            told = await told_of(serving, sign)
            assert told["revision"] == good.config.revision
            assert (await ask(serving.port)).status == 200
            after = a_snapshot(mock.url, model="next")
            kubelet.publish(after, slot="b")
            await told_of(serving, f'"revision":"{after.config.revision}"')
            assert (await ask(serving.port)).headers["x-understudy-model"] == "next"


async def test_shows_the_whole_configuration_without_secrets() -> None:
    """`/config?full=1` is for people: everything but keys, and no header that somebody set, which may be one."""
    async with Mock() as mock:
        plain = to(mock)
        secretive = plain.config.providers["default/main"].model_copy(update={"headers": {"X-Key": "hidden-value"}})
        config = plain.config.model_copy(update={"providers": {"default/main": secretive}})
        async with Serving(Snapshot(config, plain.credentials)) as serving:
            page = await exchange(serving.gateway.admin_port, "GET", "/config?full=1")
    shown = page.json()["config"]
    assert shown["providers"]["default/main"]["headers"] == {"X-Key": "***"}
    assert list(shown["targets"]) == ["LLMRoute/default/chat"]
    assert KEY.encode() not in page.body
    assert b"hidden-value" not in page.body


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("GET", "/explain?model=chat", b"", 200, id="a name"),
        pytest.param("GET", "/explain?model=chat&stream=true&tokens=5000&requires=Tools", b"", 200, id="a need"),
        pytest.param("POST", "/explain", question(), 200, id="a request"),
        pytest.param("GET", "/explain?model=char", b"", 404, id="an unknown name"),
        pytest.param("GET", "/explain", b"", 400, id="no name"),
        pytest.param("GET", "/explain?model=chat&tokens=many", b"", 400, id="no number"),
        pytest.param("GET", "/explain?model=chat&requires=Taste", b"", 400, id="no capability"),
        pytest.param("POST", "/explain", b"{", 400, id="no JSON"),
    ],
)
async def test_explains(method: str, path: str, body: bytes, status: int) -> None:
    """Who would answer, and why; nobody is asked."""
    async with Mock() as mock, Serving(to(mock)) as serving:
        answer = await exchange(serving.gateway.admin_port, method, path, body)
        assert mock.requests == []
        assert answer.status == status
        told = answer.json()
        if status == 200:
            assert (told["model"], [choice["provider"] for choice in told["choices"]]) == ("chat", ["default/main"])
            assert told["revision"] == to(mock).config.revision
        elif status == 404:
            assert told["nearest"] == ["chat"]
        else:
            assert told["error"]


async def test_explains_the_need_that_was_given() -> None:
    """What the query says is what is compared."""
    async with Mock() as mock, Serving(to(mock)) as serving:
        path = "/explain?model=chat&stream=true&tokens=5000&requires=tools"
        need = (await exchange(serving.gateway.admin_port, "GET", path)).json()["need"]
    assert (need["stream"], need["input_tokens"]) == (True, 5000)
    assert {"Tools", "Streaming"} <= set(need["capabilities"])


async def test_counts_what_it_served() -> None:
    """The metrics page tells the route, who answered and how many tokens it took."""
    async with Mock() as mock, Serving(to(mock)) as serving:
        await ask(serving.port)
        await ask(serving.port, stream=True)
        page = (await exchange(serving.gateway.admin_port, "GET", "/metrics")).body.decode()
    samples = {
        sample.name: (sample.labels, sample.value)
        for family in parse(page)
        for sample in family.samples
        if sample.name in {"understudy_requests_total", "understudy_attempts_total", "understudy_config_info"}
    }
    served, count = samples["understudy_requests_total"]
    assert (served["route"], served["provider"], served["status_class"], count) == (
        "default/chat",
        "default/main",
        "2xx",
        2.0,
    )
    assert samples["understudy_attempts_total"][0]["outcome"] == "success"
    assert samples["understudy_config_info"][0]["revision"] == to(mock).config.revision
