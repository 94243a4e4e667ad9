"""What Ollama's clients ask about models: which there are, and what one can do.

The names are those that a caller may send. Nothing is installed or loaded here, so sizes are zero and digests are
of the names.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson

from understudy_api.config import Capability
from understudy_proxy.config.runtime import Candidate, Runtime, RuntimeTarget
from understudy_proxy.dialects.ollama.request import model_in, read_object
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.doors.door import Answer, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.refusing import bad_request
from understudy_proxy.routing.resolve import visible_models

_FAMILY = "understudy"
_DETAILS = {
    "parent_model": "",
    "format": "",
    "family": _FAMILY,
    "families": [_FAMILY],
    "parameter_size": "",
    "quantization_level": "",
}
_CAPABILITIES = {
    Capability.CHAT: "completion",
    Capability.TOOLS: "tools",
    Capability.VISION: "vision",
    Capability.REASONING: "thinking",
    Capability.EMBEDDINGS: "embedding",
}
_NONE_LOADED = orjson.dumps({"models": []})


class OllamaModelsDoor:
    """Lists names, and tells about one."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def tags(self, request: Request) -> Answer:
        """All full names, as if they were installed."""
        runtime = self._names.runtime()
        visible = visible_models(runtime, namespace=self._names.namespace(request))
        return Answer(body=orjson.dumps({"models": [_model(model.name, runtime) for model in visible]}))

    async def loaded(self, _request: Request) -> Answer:
        """What is in memory: nothing is."""
        return Answer(body=_NONE_LOADED)

    async def show(self, request: Request) -> Answer:
        """What the model that the body names can do."""
        try:
            name = model_in(read_object(await request.body()))
        except RequestError as error:
            raise bad_request(error) from error
        runtime = self._names.runtime()
        target = self._names.target(runtime, name, namespace=self._names.namespace(request))
        return Answer(body=orjson.dumps(_shown(target, runtime)))


def _model(name: str, runtime: Runtime) -> dict[str, Any]:
    digest = sha256(name.encode()).hexdigest()
    return {
        "name": name,
        "model": name,
        "modified_at": _modified(runtime),
        "size": 0,
        "digest": digest,
        "details": _DETAILS,
    }


def _shown(target: RuntimeTarget, runtime: Runtime) -> dict[str, Any]:
    candidates = list(_candidates(target))
    able = {capability for candidate in candidates for capability in candidate.capabilities}
    windows = [candidate.context_window for candidate in candidates if candidate.context_window]
    info: dict[str, Any] = {"general.architecture": _FAMILY}
    if windows:
        # What the largest of its backends takes: a request that is too long for the others goes there.
        info[f"{_FAMILY}.context_length"] = max(windows)
    return {
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": _DETAILS,
        "model_info": info,
        "capabilities": [word for capability, word in _CAPABILITIES.items() if capability in able],
        "modified_at": _modified(runtime),
    }


def _modified(runtime: Runtime) -> str:
    """When the configuration was loaded."""
    return datetime.fromtimestamp(int(runtime.loaded_at), UTC).isoformat()


def _candidates(target: RuntimeTarget) -> Iterator[Candidate]:
    for rule in target.rules:
        for tier in rule.tiers:
            yield from tier
