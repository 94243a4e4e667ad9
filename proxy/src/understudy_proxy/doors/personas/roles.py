"""The door `GET /api/v1/personas`: the roles that a caller may cast, and whether somebody could play them now."""

from typing import Any

import orjson

from understudy_api.config import Backend, Target
from understudy_proxy.config.runtime import Runtime, RuntimeTarget
from understudy_proxy.doors.availability import CHAT, Availabilities, Availability
from understudy_proxy.doors.door import Answer, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.routing.names import PERSONA_PREFIX
from understudy_proxy.routing.resolve import resolve, visible_models


class PersonasDoor:
    """Lists personas."""

    def __init__(self, *, names: Names, availabilities: Availabilities) -> None:
        """Look names up in `names`, and their prospects in `availabilities`."""
        self._names = names
        self._availabilities = availabilities

    async def __call__(self, request: Request) -> Answer:
        """All that this caller can reach by name."""
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        names = (each.name for each in visible_models(runtime, namespace=namespace))
        personas = (name for name in names if name.startswith(PERSONA_PREFIX))
        found = (resolve(runtime, name, namespace=namespace) for name in personas)
        targets = [target for target in found if isinstance(target, RuntimeTarget)]
        shown = [_persona(runtime, each, await self._availabilities.of(each, CHAT)) for each in targets]
        return Answer(body=orjson.dumps(shown), headers=(("cache-control", "no-store"),))


def _persona(runtime: Runtime, target: RuntimeTarget, prospects: Availability) -> dict[str, Any]:
    configured = runtime.config.targets[target.key]
    prompt = configured.prompt
    backends = _preferred(configured)
    return {
        "name": target.name,
        "namespace": target.namespace,
        "aliases": list(configured.aliases),
        "description": configured.description,
        "provider_preferences": list(dict.fromkeys(_provider_name(backend) for backend in backends)),
        "requires": sorted(target.requires),
        "parameters": {
            "defaults": prompt.defaults if prompt else {},
            "overrides": prompt.overrides if prompt else {},
        },
        "tools": [tool["function"]["name"] for tool in prompt.tools] if prompt else [],
        "revision": prompt.revision if prompt else "",
        "available": prospects.available,
        "why_not": prospects.why_not,
        "backends": [_backend(runtime, backend, prospects) for backend in backends],
    }


def _preferred(configured: Target) -> list[Backend]:
    """Everybody who may play the role, in the order in which they are asked, each once."""
    first: dict[tuple[str, str], Backend] = {}
    for rule in configured.rules:
        for each in sorted(rule.backends, key=lambda backend: backend.priority):
            first.setdefault((each.provider, each.model), each)
    return list(first.values())


def _backend(runtime: Runtime, backend: Backend, prospects: Availability) -> dict[str, Any]:
    key = f"{backend.provider}:{backend.model}"
    why_not = runtime.out.get(backend.provider) or prospects.troubles.get(key)
    return {
        "provider": _provider_name(backend),
        "model": backend.model,
        "priority": backend.priority,
        "available": key in prospects.asked,
        "why_not": why_not,
    }


def _provider_name(backend: Backend) -> str:
    return backend.provider.partition("/")[2]
