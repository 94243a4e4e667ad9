"""Servers that list their own models, asked by operator processes for objects of a real API server."""

import asyncio
import time
from typing import Any

from harness.apiserver import ApiServer
from harness.control_plane import ControlPlane, control_plane
from harness.manifests import provider, route
from understudy.mock import Mock, Settings


async def _accepted(plane: ControlPlane, manifest: dict[str, Any], part: str) -> None:
    """Wait until the message of `Accepted` has this in it."""
    deadline = time.monotonic() + 30
    while part not in (said := (await plane.says(manifest, "Accepted", "True Accepted"))["message"]):
        assert time.monotonic() < deadline, said
        await asyncio.sleep(0.05)


def _served(plane: ControlPlane) -> list[set[str]]:
    """The models of the provider in each configuration that a proxy has loaded since it had any."""
    own = f"{plane.namespace}/own"
    found = [snapshot.config.providers.get(own) for snapshot in plane.proxies[0].loaded]
    sets = [set(provider.models) if provider else set() for provider in found]
    return sets[next((place for place, models in enumerate(sets) if models), len(sets)) :]


async def test_a_server_is_asked_and_its_word_outlives_server_and_operator(apiserver: ApiServer) -> None:
    """A route to what the server lists is live; neither the server's end nor a new leader takes it out."""
    async with (
        Mock(dialect="vllm", settings=Settings(models=("small",))) as own,
        control_plane(apiserver, operator=False) as plane,
    ):
        first = await plane.start_operator()
        discovering = provider(
            "own",
            namespace=plane.namespace,
            type="VLLM",
            baseURL=f"{own.url}/v1",
            models=[],
            discovery={"interval": "1s"},
        )
        chat = route("chat", namespace=plane.namespace, providers=("own",))
        await plane.apply(discovering, chat)
        await plane.says(chat, "Ready", "True Ready")
        own.settings = Settings(models=("small", "large"))
        await plane.until(lambda: {"small", "large"} in _served(plane), what="the second model is served")
        await own.stop()
        await _accepted(plane, discovering, "cannot be connected to; it is asked again every 1s, and the models that")
        await asyncio.to_thread(first.process.stop)
        second = await plane.start_operator()
        await second.reaches('cycles_total{trigger="doorbell"}', 1)  # its own question has failed, too
        await plane.apply(route("late", namespace=plane.namespace, providers=("own",)))
        await plane.says(route("late", namespace=plane.namespace), "Ready", "True Ready")
        assert {"small", "large"} == _served(plane)[-1]
        assert all("small" in models for models in _served(plane))
