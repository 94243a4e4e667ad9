"""Explanations for a person: from a running gateway, or from files as if one had just started with them."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
import click

from understudy.linting import printable
from understudy_api.config import Capability, Snapshot
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import Upstream
from understudy_proxy.routing.explain import explain
from understudy_proxy.routing.health import HealthBoard
from understudy_proxy.routing.need import Need
from understudy_proxy.routing.plan import Endpoint
from understudy_proxy.routing.resolve import resolve

TIMEOUT_SECONDS = 10.0


class NoExplanation(Exception):
    """There is no explanation to be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Imagined:
    """The request to explain; `namespace` is the caller's, "" leaves it to the gateway."""

    model: str
    namespace: str = ""
    stream: bool = False
    tokens: int = 0
    requires: tuple[Capability, ...] = ()


def from_snapshot(snapshot: Snapshot, imagined: Imagined) -> dict[str, Any]:
    """The explanation of a gateway that has just started with this configuration: everything is healthy."""
    runtime = build(snapshot, now=0.0)
    told = explain(
        resolve(runtime, imagined.model, namespace=imagined.namespace),
        _need(imagined),
        {},
        board=HealthBoard(),
        endpoints=_whole_provider,
        draw=lambda: 0.0,
        now=0.0,
    )
    return {"model": imagined.model, "namespace": imagined.namespace, "revision": runtime.revision, **told}


def from_gateway(url: str, imagined: Imagined) -> dict[str, Any]:
    """The explanation of a running gateway, which knows how its providers fare.

    Raises:
        NoExplanation: the gateway does not answer, or refuses the question.
    """
    return asyncio.run(_fetch(url, imagined))


def as_text(told: Mapping[str, Any]) -> str:
    """The explanation in lines."""
    return "\n".join(_lines(_printable(told)))


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
        _give_up(url, imagined, _trouble(error), cause=error)
    if not isinstance(told, dict) or "found" not in told:
        _give_up(url, imagined, _refusal(told))
    return told


def _give_up(url: str, imagined: Imagined, why: str, *, cause: Exception | None = None) -> NoReturn:
    raise NoExplanation(
        f"no explanation from {url}: {why}. Is that the admin port of a gateway? "
        f"Files are explained by: understudy explain {imagined.model} -f PATH"
    ) from cause


def _trouble(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorError():
            return f"cannot connect ({error.strerror or error})"
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return "that is no URL; write it such as http://localhost:9090"
        case TimeoutError():
            return f"no answer within {TIMEOUT_SECONDS:g} s"
        case ValueError():
            return "its answer is not JSON"
    return str(error) or type(error).__name__


def _refusal(told: Any) -> str:
    """What an error answer says, in the format of the admin port or of the public one."""
    error = told.get("error") if isinstance(told, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return message.rstrip(".") if isinstance(message, str) else "it answers something else"


def _need(imagined: Imagined) -> Need:
    streaming = {Capability.STREAMING} if imagined.stream else set()
    return Need(
        capabilities=frozenset({Capability.CHAT, *streaming, *imagined.requires}),
        input_tokens=imagined.tokens,
        stream=imagined.stream,
        max_output_tokens=None,
    )


def _whole_provider(upstream: Upstream) -> tuple[Endpoint, ...]:
    return (Endpoint(key=upstream.key, address=None),)


def _printable(told: Any) -> Any:
    """The same with no text that a terminal would obey, wherever it came from."""
    match told:
        case str():
            return printable(told)
        case Mapping():
            return {name: _printable(value) for name, value in told.items()}
        case list():
            return [_printable(value) for value in told]
    return told


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    if not told["found"]:
        nearest = " or ".join(told["nearest"])
        yield f"{told['model']}: no such model" + (f"; did you mean {nearest}?" if nearest else "")
        return
    yield f"{click.style(told['model'], bold=True)} is {_subject(told)}, at revision {told['revision']}"
    for rule in told["rules"]:
        name = f"rule {rule['name']}" if rule["name"] else "its only rule"
        yield f"  {name} {'applies' if rule['applies'] else 'does not apply'}: {rule['because']}"
    if not told["choices"]:
        yield click.style("  nobody would answer", fg="red") + _until(told["retry_after_seconds"])
    for choice in told["choices"]:
        backend = click.style(choice["backend"], fg="green")
        yield (
            f"  {choice['place']}. {backend}{_at(choice)} (priority {choice['priority']}{_share(choice)}): "
            + (choice["because"])
        )
    for skip in told["skipped"]:
        wait = f", for {skip['for_seconds']:g} s" if skip["for_seconds"] is not None else ""
        backend = click.style(skip["backend"], fg="yellow")
        yield f"  -  {backend}{_at(skip)} is passed over: {skip['detail']} ({skip['because']}{wait})"


def _subject(told: Mapping[str, Any]) -> str:
    """Which object answers to the name; a model at a provider needs no route."""
    name = told["target"].removeprefix("provider/").removeprefix("persona/")
    return f"a model of LLMProvider {name}" if told["kind"] == "Provider" else f"{told['kind']} {name}"


def _at(told: Mapping[str, Any]) -> str:
    return f" at {told['address']}" if told["address"] else ""


def _share(choice: Mapping[str, Any]) -> str:
    return f", {choice['share']:.0%} of it" if choice["share"] not in {None, 1} else ""


def _until(seconds: float | None) -> str:
    return f", for {seconds:g} s more" if seconds is not None else ""
