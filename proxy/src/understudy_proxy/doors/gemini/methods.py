"""The door behind `models/NAME:METHOD`: one for each method."""

from collections.abc import Callable

from understudy_proxy.dialects.counting import CountOperation
from understudy_proxy.dialects.embedding import EmbeddingOperation
from understudy_proxy.dialects.gemini.client import ARRAY_CLIENT, CLIENT, COUNT_CLIENT
from understudy_proxy.dialects.gemini.embedding_client import EMBED_CLIENT, EmbedRequest
from understudy_proxy.dialects.gemini.embedding_client import read as read_embed
from understudy_proxy.dialects.gemini.request import GenerateRequest, read
from understudy_proxy.dialects.interpretation import Operation
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.door import Answer, Door, Refused, Request
from understudy_proxy.doors.gemini.paths import split
from understudy_proxy.doors.generation import GenerationDoor
from understudy_proxy.doors.services import Services

_EVENTS = ChatOperation(CLIENT, PROVIDERS)
_ARRAY = ChatOperation(ARRAY_CLIENT, PROVIDERS)
_COUNT = CountOperation(COUNT_CLIENT, PROVIDERS)
_EMBED = EmbeddingOperation(EMBED_CLIENT, PROVIDERS)
_SSE = frozenset({"alt=sse", "$alt=sse", "%24alt=sse"})
_SHOWN = 64


NameIn = Callable[[str], str]
"""The model that a path names."""


class MethodsDoor:
    """Generates, counts and embeds."""

    def __init__(self, name_in: NameIn, services: Services) -> None:
        def generating(operation: Operation, *, stream: bool = False, array: bool = False) -> GenerationDoor:
            def asked(request: Request, body: bytes) -> GenerateRequest:
                return read(body, model=name_in(split(request.rest)[0]), stream=stream, array=array)

            return GenerationDoor(asked, operation, services)

        def embedding(*, batch: bool) -> GenerationDoor:
            def asked(request: Request, body: bytes) -> EmbedRequest:
                return read_embed(body, model=name_in(split(request.rest)[0]), batch=batch)

            return GenerationDoor(asked, _EMBED, services)

        def counting(request: Request, body: bytes) -> GenerateRequest:
            return read(body, model=name_in(split(request.rest)[0]))

        self._stream_events = generating(_EVENTS, stream=True)
        self._stream_array = generating(_ARRAY, stream=True, array=True)
        self._doors: dict[str, Door] = {
            "generateContent": generating(_EVENTS),
            "streamGenerateContent": self._stream,
            "countTokens": GenerationDoor(counting, _COUNT, services, instead=_COUNT.estimate),
            "embedContent": embedding(batch=False),
            "batchEmbedContents": embedding(batch=True),
        }

    async def __call__(self, request: Request) -> Answer | None:
        """Answer by the method that the path names."""
        method = split(request.rest)[1]
        door = self._doors.get(method)
        if door is None:
            raise Refused(
                404,
                f"There is no method '{method[:_SHOWN]}'. The methods of a model are {', '.join(self._doors)}.",
                code="unknown_method",
                reason="unknown_url",
            )
        return await door(request)

    async def _stream(self, request: Request) -> Answer | None:
        events = not _SSE.isdisjoint(request.query.split("&"))
        return await (self._stream_events if events else self._stream_array)(request)
