"""A whole gateway in the test's own event loop: real sockets, a configuration by hand, log lines to look at."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from harness.raw_http import PATIENCE_SECONDS, exchange
from understudy_api.config import (
    Backend,
    Capability,
    Config,
    CredentialRef,
    Credentials,
    Dialect,
    HealthPolicy,
    Names,
    Prompt,
    Provider,
    ProviderModel,
    RetryPolicy,
    Rule,
    Snapshot,
    Strategy,
    Target,
    TargetKind,
    Timeouts,
    with_revision,
)
from understudy_proxy.config.source import Origin, Sink
from understudy_proxy.gateway import Gateway
from understudy_proxy.listening import listen
from understudy_proxy.settings import Settings
from understudy_proxy.telemetry.logs import LogWriter, logging_through
from understudy_proxy.telemetry.masking import Masker

ALL = frozenset(Capability)
KEY = "sk-upstream-credential"
"""What every provider's upstream gets as its API key."""


def provider(name: str, url: str, *, models: Iterable[str] = ("m",), **fields: Any) -> Provider:
    """A provider `default/NAME` at `url`, which has no `/v1`; quick to try again after an ejection."""
    given: dict[str, Any] = {
        "health": HealthPolicy(ejection_seconds=0.05, max_ejection_seconds=0.2),
        "timeouts": Timeouts(connect_seconds=1, first_token_seconds=0.5, stream_idle_seconds=0.5, request_seconds=5),
        **fields,
    }
    return Provider(
        namespace="default",
        name=name,
        type="OpenAICompatible",
        system="openai",
        dialect=Dialect.OPENAI,
        base_url=f"{url}/v1",
        credential=CredentialRef(name="key", version="1"),
        models={model: ProviderModel(upstream_name=model, capabilities=ALL) for model in models},
        **given,
    )


def route(
    name: str,
    *backends: Backend,
    strategy: Strategy = Strategy.WEIGHTED,
    retry: RetryPolicy | None = None,
    request_timeout_seconds: float | None = None,
) -> Target:
    """A route `default/NAME` of one rule."""
    return Target(
        kind=TargetKind.ROUTE,
        namespace="default",
        name=name,
        rules=(Rule(name="", backends=backends, strategy=strategy),),
        retry=retry or RetryPolicy(base_seconds=0.001, max_seconds=0.01),
        request_timeout_seconds=request_timeout_seconds,
    )


def persona(name: str, *backends: Backend, prompt: Prompt) -> Target:
    """A persona `default/NAME`."""
    return Target(
        kind=TargetKind.PERSONA,
        namespace="default",
        name=name,
        rules=(Rule(name="", backends=backends),),
        prompt=prompt,
    )


def backend(provider_name: str, *, model: str = "m", weight: int = 1, priority: int = 0) -> Backend:
    """A model at `default/PROVIDER_NAME`."""
    return Backend(provider=f"default/{provider_name}", model=model, weight=weight, priority=priority)


def in_order(*names: str) -> tuple[Backend, ...]:
    """Backends that are asked one after the other."""
    return tuple(backend(name, priority=priority) for priority, name in enumerate(names))


def snapshot(providers: Iterable[Provider], targets: Iterable[Target], *, key: str = KEY) -> Snapshot:
    """A configuration with its credentials; every target answers to its own name."""
    by_key = {f"{target.kind}/{target.namespace}/{target.name}": target for target in targets}
    routes = {k: t for k, t in by_key.items() if t.kind is TargetKind.ROUTE}
    personas = {k: t for k, t in by_key.items() if t.kind is TargetKind.PERSONA}
    known = {f"{one.namespace}/{one.name}": one for one in providers}
    config = with_revision(
        Config(
            providers=known,
            targets=by_key,
            names=Names(
                exact={target.name: (k,) for k, target in routes.items()},
                personas={target.name.replace("_", "-"): (k,) for k, target in personas.items()},
                providers={one.name: (k,) for k, one in known.items()},
                routes_by_age=tuple((target.name, k) for k, target in routes.items()),
            ),
        )
    )
    return Snapshot(config=config, credentials=Credentials(revision=config.revision, values={"key": key}))


class Pushed:
    """A source of configurations that a test pushes."""

    def __init__(self) -> None:
        self._offered: asyncio.Queue[tuple[Snapshot, asyncio.Future[bool]]] = asyncio.Queue()

    async def push(self, new: Snapshot) -> bool:
        """Offer `new`; whether it serves now."""
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        await self._offered.put((new, taken))
        return await taken

    async def run(self, sink: Sink) -> None:
        """Offer what is pushed."""
        while True:
            new, taken = await self._offered.get()
            taken.set_result(await sink.offer(new, origin=Origin.FILES))


class Serving:
    """A gateway that serves one configuration, as an asynchronous context manager."""

    def __init__(self, first: Snapshot | None, *, settings: Mapping[str, Any] | None = None) -> None:
        """Serve `first`, if there is one yet, with the default settings and `settings` over them."""
        self._first = first
        self._settings = Settings(host="127.0.0.1", default_namespace="default", **(settings or {}))
        self._lines: list[bytes] = []
        self._masker = Masker()
        self._writer = LogWriter(self._lines.append)
        self._log = logging_through(self._writer.put, level="info", masker=self._masker)
        self.source = Pushed()

    async def __aenter__(self) -> Self:
        self._writer.__enter__()
        self._log.__enter__()
        self.gateway = Gateway(self._settings, self.source, writer=self._writer, masker=self._masker)
        await self.gateway.start(listen("127.0.0.1", 0), listen("127.0.0.1", 0))
        if self._first is not None:
            assert await self.source.push(self._first)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.gateway.close()
        self._log.__exit__(None, None, None)
        self._writer.__exit__(None, None, None)

    @property
    def port(self) -> int:
        """For callers."""
        return self.gateway.port

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def admin_url(self) -> str:
        """For operators."""
        return f"http://127.0.0.1:{self.gateway.admin_port}"

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples called `name` that have these labels."""
        answer = await exchange(self.gateway.admin_port, "GET", "/metrics")
        families = text_string_to_metric_families(answer.body.decode())
        samples = (sample for family in families for sample in family.samples if sample.name == name)
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    async def reaches(self, name: str, value: float, **labels: str) -> None:
        """Wait until `metric` is `value`; a test that waits in vain fails with TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.metric(name, **labels) != value:  # noqa: ASYNC110 - metrics are there to be asked
                await asyncio.sleep(0.01)

    def log(self) -> list[dict[str, Any]]:
        """The lines written so far; they are written some 50 ms after they were made."""
        return [json.loads(line) for batch in list(self._lines) for line in batch.splitlines()]
