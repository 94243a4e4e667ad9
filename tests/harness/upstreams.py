"""`Upstream` objects by hand, for tests below the configuration."""

import ssl
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from understudy_api.config import Capability, Dialect, HealthPolicy, Timeouts
from understudy_proxy.config.runtime import Candidate, Upstream
from understudy_proxy.exchange.credentials import CloudCredentials


@dataclass(kw_only=True)
class Wanted:
    """What a test wants of an upstream; the rest is usual."""

    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": "Bearer secret"})
    cloud: CloudCredentials | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls: ssl.SSLContext | bool = True
    server_name: str | None = None
    per_address: bool = False
    max_concurrency: int | None = None
    slots: int | None = None


def upstream(base_url: str, name: str = "up", **wanted: Any) -> Upstream:
    """The upstream `default/NAME` at `base_url`, with one model `m`."""
    want = Wanted(**wanted)
    candidates: dict[str, Candidate] = {}
    made = Upstream(
        key=f"default/{name}",
        namespace="default",
        name=name,
        type="OpenAICompatible",
        system="openai",
        dialect=Dialect.OPENAI,
        base_url=URL(base_url),
        headers=CIMultiDictProxy(CIMultiDict(want.headers)),
        cloud=want.cloud,
        per_address=want.per_address,
        max_concurrency=want.max_concurrency,
        slots=want.slots,
        timeouts=want.timeouts,
        health=HealthPolicy(),
        ssl=want.tls,
        server_name=want.server_name,
        mesh=None,
        visible_to=None,
        candidates=candidates,
        direct={},
    )
    candidates["m"] = Candidate(
        upstream=made,
        model="m",
        upstream_model="m",
        capabilities=frozenset(Capability),
        context_window=None,
        max_output_tokens=None,
        pricing=None,
        weight=1,
        priority=0,
        key=f"{made.key}:m",
    )
    return made
