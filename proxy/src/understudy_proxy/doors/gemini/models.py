"""Google's list of models, and one of it: the names that a caller may send."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from understudy_proxy.config.runtime import Candidate, RuntimeTarget
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.gemini.paths import developer
from understudy_proxy.doors.names import Names
from understudy_proxy.routing.resolve import visible_models

_METHODS = ["generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"]


class GeminiModelsDoor:
    """Lists names, and tells about one."""

    def __init__(self, names: Names, name_in: Callable[[str], str] = developer) -> None:
        """`name_in` reads the model from a path."""
        self._names = names
        self._name_in = name_in

    async def list(self, request: Request) -> Answer:
        """All full names, on one page."""
        runtime = self._names.runtime()
        namespace = self._names.namespace(request)
        names = [model.name for model in visible_models(runtime, namespace=namespace)]
        models = [_model(name, self._names.target(runtime, name, namespace=namespace)) for name in names]
        return Answer(body=orjson.dumps({"models": models}))

    async def one(self, request: Request) -> Answer:
        """The model whose name follows in the path."""
        name = self._name_in(request.rest)
        if not name:
            raise Refused(404, "Name a model: models/NAME.", code="model_not_found", reason="model_not_found")
        runtime = self._names.runtime()
        target = self._names.target(runtime, name, namespace=self._names.namespace(request))
        return Answer(body=orjson.dumps(_model(name, target)))


def _model(name: str, target: RuntimeTarget) -> dict[str, Any]:
    model: dict[str, Any] = {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "supportedGenerationMethods": _METHODS,
    }
    windows = [candidate.context_window for candidate in _candidates(target) if candidate.context_window]
    outputs = [candidate.max_output_tokens for candidate in _candidates(target) if candidate.max_output_tokens]
    # What the largest of its backends takes: a request that is too long for the others goes there.
    if windows:
        model["inputTokenLimit"] = max(windows)
    if outputs:
        model["outputTokenLimit"] = max(outputs)
    return model


def _candidates(target: RuntimeTarget) -> Iterator[Candidate]:
    for rule in target.rules:
        for tier in rule.tiers:
            yield from tier
