"""Models as Anthropic lists them: page by page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs

import orjson

from understudy_proxy.config.runtime import Runtime
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.names import Names
from understudy_proxy.routing.resolve import VisibleModel, visible_models

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1000


class AnthropicModelsDoor:
    """Lists names, and tells about one."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def list(self, request: Request) -> Answer:
        """A page of all full names."""
        runtime = self._names.runtime()
        page, has_more = _page(visible_models(runtime, namespace=self._names.namespace(request)), request.query)
        data = [_model(runtime, model.name) for model in page]
        ends = {"first_id": page[0].name if page else None, "last_id": page[-1].name if page else None}
        return Answer(body=orjson.dumps({"data": data, "has_more": has_more, **ends}))

    async def one(self, request: Request) -> Answer:
        """The model whose id follows in the path."""
        runtime = self._names.runtime()
        self._names.target(runtime, request.rest, namespace=self._names.namespace(request))
        return Answer(body=orjson.dumps(_model(runtime, request.rest)))


def _page(models: Sequence[VisibleModel], query: str) -> tuple[Sequence[VisibleModel], bool]:
    """Those that the query asks for, and whether there are more in its direction.

    Raises:
        Refused: the query makes no sense.
    """
    asked = {name: values[-1] for name, values in parse_qs(query, max_num_fields=100).items()}
    limit = asked.get("limit", str(_DEFAULT_LIMIT))
    if not limit.isdecimal() or not 1 <= int(limit[:5]) <= _MAX_LIMIT:
        raise _wrong(f"limit: Input should be an integer from 1 to {_MAX_LIMIT}")
    most = int(limit)
    if "after_id" in asked and "before_id" in asked:
        raise _wrong("Only one of after_id and before_id may be given")
    if (before := asked.get("before_id")) is not None:
        earlier = models[: _place(models, before)]
        return earlier[-most:], len(earlier) > most
    after = asked.get("after_id")
    later = models if after is None else models[_place(models, after) + 1 :]
    return later[:most], len(later) > most


def _place(models: Sequence[VisibleModel], name: str) -> int:
    for place, model in enumerate(models):
        if model.name == name:
            return place
    raise _wrong("after_id and before_id must be the ids of models in the list")


def _wrong(message: str) -> Refused:
    return Refused(400, message, code="invalid_value", reason="bad_request")


def _model(runtime: Runtime, name: str) -> dict[str, str]:
    # Anthropic's `created_at` is when a model was released; here it is when its configuration was loaded.
    created = datetime.fromtimestamp(int(runtime.loaded_at), UTC).isoformat().replace("+00:00", "Z")
    return {"type": "model", "id": name, "display_name": name, "created_at": created}
