"""The doors `/v1/responses` and below: responses, remembered so that others can go on from them.

What is kept is each response with the input that it answered; the conversation before it is found along
`previous_response_id`. Keys hold the namespace of the caller: another's response does not exist.
"""

from typing import Any

import orjson

from understudy_proxy.dialects.fields import shown, string
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.openai.responses.client import CLIENT
from understudy_proxy.dialects.openai.responses.request import ResponseRequest, parse, read_response
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.door import Answer, Refused, Request
from understudy_proxy.doors.generation import GenerationDoor
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.services import Services
from understudy_proxy.state.store import Store

KEPT_SECONDS = 24 * 3600.0
_MAX_TURNS = 1000
_INPUT_ITEMS = "/input_items"


class Responses:
    """What is remembered of responses, for whoever has their ids."""

    def __init__(self, store: Store, names: Names) -> None:
        """Remember in `store`."""
        self._store = store
        self._names = names

    async def recall(self, request: Request, body: bytes) -> ResponseRequest:
        """Read a request, together with the conversation that it goes on with.

        Raises:
            RequestError: it is wrong, or goes on from a response that is not there.
        """
        parsed = parse(body)
        previous = parsed.get("previous_response_id")
        earlier: list[Any] = []
        if previous is not None:
            earlier = await self._conversation(request, string(previous, "previous_response_id"))
        return read_response(parsed, earlier)

    async def keep(self, request: Request, asked: Asked) -> None:
        """Remember the response to `asked`, now that it is complete."""
        if isinstance(asked, ResponseRequest) and asked.store and asked.kept.response is not None:
            value = orjson.dumps({"response": asked.kept.response, "input": asked.items})
            await self._store.put(self._key(request, asked.kept.response["id"]), value, ttl_seconds=KEPT_SECONDS)

    async def get(self, request: Request) -> Answer:
        """The response, or with `/input_items` what it answered."""
        id_ = request.rest
        kept = await self._kept(request, id_.removesuffix(_INPUT_ITEMS))
        if not id_.endswith(_INPUT_ITEMS):
            return Answer(body=orjson.dumps(kept["response"]))
        items = [{"id": f"item_{index}", **item} for index, item in enumerate(kept["input"])]
        ends = (items[0]["id"], items[-1]["id"]) if items else (None, None)
        listed = {"object": "list", "data": items, "has_more": False, "first_id": ends[0], "last_id": ends[1]}
        return Answer(body=orjson.dumps(listed))

    async def delete(self, request: Request) -> Answer:
        """Forget the response."""
        if not await self._store.delete(self._key(request, request.rest)):
            raise _missing(request.rest)
        return Answer(body=orjson.dumps({"id": request.rest, "object": "response", "deleted": True}))

    async def _conversation(self, request: Request, id_: str) -> list[Any]:
        """All items up to and with the response `id_`, oldest first."""
        turns: list[list[Any]] = []
        following: str | None = id_
        while following is not None and len(turns) < _MAX_TURNS:
            value = await self._store.get(self._key(request, following))
            if value is None:
                message = f"Previous response with id {shown(following)} not found: it was not stored, or is forgotten."
                raise RequestError(
                    message, status=404, code="previous_response_not_found", param="previous_response_id"
                )
            kept = orjson.loads(value)
            turns.append([*kept["input"], *kept["response"]["output"]])
            following = kept["response"]["previous_response_id"]
        return [item for turn in reversed(turns) for item in turn]

    async def _kept(self, request: Request, id_: str) -> dict[str, Any]:
        value = await self._store.get(self._key(request, id_))
        if value is None:
            raise _missing(id_)
        kept: dict[str, Any] = orjson.loads(value)
        return kept

    def _key(self, request: Request, id_: str) -> str:
        return f"response/{self._names.namespace(request) or ''}/{id_}"


class ResponsesDoor(GenerationDoor):
    """Answers, told as responses."""

    def __init__(self, responses: Responses, services: Services) -> None:
        """Go on from `responses`, and add to them."""
        super().__init__(
            lambda _request, body: read_response(parse(body), []),
            ChatOperation(CLIENT, PROVIDERS),
            services,
        )
        self._responses = responses

    async def _asked(self, request: Request, body: bytes) -> Asked:
        return await self._responses.recall(request, body)

    async def _complete(self, request: Request, asked: Asked) -> None:
        await self._responses.keep(request, asked)


def _missing(id_: str) -> Refused:
    message = f"Response with id {shown(id_)} not found: it was not stored, or is forgotten."
    return Refused(404, message, type="invalid_request_error", param="id", reason="response_not_found")
