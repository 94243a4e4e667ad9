"""The doors `/v1/models` and `/v1/models/{id}`: the names that a caller may send."""

import orjson

from understudy_proxy.config.runtime import Runtime
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.routing.resolve import visible_models


class ModelsDoor:
    """Lists names, and tells about one."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def list(self, request: Request) -> Answer:
        """All full names; prefixes are not listed, though they answer."""
        runtime = self._names.runtime()
        visible = visible_models(runtime, namespace=self._names.namespace(request))
        data = [_model(runtime, model.name, model.owner) for model in visible]
        return Answer(body=orjson.dumps({"object": "list", "data": data}))

    async def one(self, request: Request) -> Answer:
        """The model whose id follows in the path."""
        if not request.rest:
            raise Refused(
                404, "Name a model: /v1/models/ID.", code="model_not_found", param="model", reason="model_not_found"
            )
        runtime = self._names.runtime()
        target = self._names.target(runtime, request.rest, namespace=self._names.namespace(request))
        return Answer(body=orjson.dumps(_model(runtime, request.rest, target.namespace)))


def _model(runtime: Runtime, name: str, owner: str) -> dict[str, object]:
    # OpenAI's `created` is when a model was made; here it is when its configuration was loaded.
    return {"id": name, "object": "model", "created": int(runtime.loaded_at), "owned_by": owner}
