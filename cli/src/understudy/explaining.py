"""Explanations for a person: from a running gateway, or from files as if one had just started with them."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import click

from understudy.local import from_files
from understudy_api.config import Capability
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Upstream
from understudy_proxy.routing.explain import explain
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.plan import Endpoint
from understudy_proxy.routing.resolve import resolve

TIMEOUT_SECONDS = 10.0


class NotReached(Exception):
    """There is no explanation to be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Imagined:
    """The request to explain."""

    model: str
    namespace: str = ""
    stream: bool = False
    tokens: int = 0
    requires: tuple[str, ...] = ()


def from_paths(paths: tuple[str, ...], imagined: Imagined, *, environment: Mapping[str, str]) -> dict[str, Any]:
    """The explanation of a gateway that has just started with these files: everything is healthy.

    Raises:
        NotReached: a required capability is none.
    """
    namespace = imagined.namespace or "default"
    runtime = build(from_files(paths, environment=environment, namespace="default").snapshot, now=0.0)
    told = explain(
        resolve(runtime, imagined.model, namespace=namespace),
        _need(imagined),
        {},
        board=HealthBoard(),
        endpoints=_whole_provider,
        draw=lambda: 0.0,
        now=0.0,
    )
    return {"model": imagined.model, "namespace": namespace, "revision": runtime.revision, **told}


def from_gateway(url: str, imagined: Imagined) -> dict[str, Any]:
    """The explanation of a running gateway, which knows how its providers fare.

    Raises:
        NotReached: the gateway does not answer, or refuses the question.
    """
    return asyncio.run(_fetch(url, imagined))


def as_text(told: Mapping[str, Any]) -> str:
    """The explanation in lines."""
    return "\n".join(_lines(told))


async def _fetch(url: str, imagined: Imagined) -> dict[str, Any]:
    query = {
        "model": imagined.model,
        "namespace": imagined.namespace,
        "stream": str(imagined.stream).lower(),
        "requires": ",".join(imagined.requires),
        **({"tokens": str(imagined.tokens)} if imagined.tokens else {}),
    }
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{url.rstrip('/')}/explain", params=query) as response,
        ):
            told = json.loads(await response.text())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise NotReached(
            f"no explanation from {url}: {str(error) or type(error).__name__}; is that the admin port of a gateway? "
            f"(or read files: understudy explain {imagined.model} -f PATH)"
        ) from error
    if not isinstance(told, dict) or "found" not in told:
        raise NotReached(str(told.get("error", told)) if isinstance(told, dict) else "no explanation")
    return told


def _need(imagined: Imagined) -> Need:
    known = {capability.value.lower(): capability for capability in Capability}
    unknown = [name for name in imagined.requires if name.lower() not in known]
    if unknown:
        raise NotReached(f"{unknown[0]} is no capability; there are {', '.join(Capability)}")
    capabilities = {known[name.lower()] for name in imagined.requires} | {Capability.CHAT}
    if imagined.stream:
        capabilities.add(Capability.STREAMING)
    return Need(
        capabilities=frozenset(capabilities),
        input_tokens=imagined.tokens,
        stream=imagined.stream,
        max_output_tokens=None,
    )


def _whole_provider(upstream: Upstream) -> tuple[Endpoint, ...]:
    return (Endpoint(key=upstream.key, address=None),)


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    if not told["found"]:
        nearest = ", ".join(told["nearest"])
        yield f"{told['model']}: no such model" + (f"; did you mean {nearest}?" if nearest else "")
        return
    head = click.style(str(told["model"]), bold=True)
    yield f"{head} is {told['kind']} {told['target']}, at revision {told['revision']}"
    for rule in told["rules"]:
        name = f"rule {rule['name']}" if rule["name"] else "its only rule"
        yield f"  {name} {'applies' if rule['applies'] else 'does not apply'}: {rule['because']}"
    if not told["choices"]:
        yield click.style("  nobody would answer", fg="red")
    for choice in told["choices"]:
        address = f" at {choice['address']}" if choice["address"] else ""
        share = f", {choice['share']:.0%} of its priority" if choice["share"] not in {None, 1} else ""
        backend = click.style(choice["backend"], fg="green")
        yield f"  {choice['place']}. {backend}{address} (priority {choice['priority']}{share}): {choice['because']}"
    for skip in told["skipped"]:
        wait = f", for {skip['for_seconds']:g} s" if skip["for_seconds"] is not None else ""
        backend = click.style(skip["backend"], fg="yellow")
        yield f"  -  {backend} is passed over: {skip['detail']} ({skip['because']}{wait})"
