"""The door behind `models/NAME:METHOD`: one for each method."""

from understudy_proxy.dialects.counting import CountOperation
from understudy_proxy.dialects.embedding import EmbeddingOperation
from understudy_proxy.dialects.gemini.client import ARRAY_CLIENT, CLIENT, COUNT_CLIENT
from understudy_proxy.dialects.gemini.embedding_client import EMBED_CLIENT, EmbedRequest
from understudy_proxy.dialects.gemini.embedding_client import read as read_embed
from understudy_proxy.dialects.gemini.request import GenerateRequest, read
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.door import Answer, Door, Refused, Request
from understudy_proxy.doors.gemini.paths import method_in, model_in
from understudy_proxy.doors.generation import GenerationDoor
from understudy_proxy.doors.names import Names
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.telemetry.metrics import Metrics

_EVENTS = ChatOperation(CLIENT, PROVIDERS)
_ARRAY = ChatOperation(ARRAY_CLIENT, PROVIDERS)
_COUNT = CountOperation(COUNT_CLIENT, PROVIDERS)
_EMBED = EmbeddingOperation(EMBED_CLIENT, PROVIDERS)
_SSE = "alt=sse"
_SHOWN = 64


class MethodsDoor:
    """Generates, counts and embeds."""

    def __init__(self, *, names: Names, exchange: Exchange, metrics: Metrics) -> None:
        self._stream_events = GenerationDoor(_streamed, _EVENTS, names=names, exchange=exchange, metrics=metrics)
        self._stream_array = GenerationDoor(_in_array, _ARRAY, names=names, exchange=exchange, metrics=metrics)
        self._doors: dict[str, Door] = {
            "generateContent": GenerationDoor(_whole, _EVENTS, names=names, exchange=exchange, metrics=metrics),
            "streamGenerateContent": self._stream,
            "countTokens": GenerationDoor(
                _whole, _COUNT, names=names, exchange=exchange, metrics=metrics, instead=_COUNT.estimate
            ),
            "embedContent": GenerationDoor(_one_text, _EMBED, names=names, exchange=exchange, metrics=metrics),
            "batchEmbedContents": GenerationDoor(_texts, _EMBED, names=names, exchange=exchange, metrics=metrics),
        }

    async def __call__(self, request: Request) -> Answer | None:
        """Answer by the method that the path names."""
        method = method_in(request.rest)
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
        events = _SSE in request.query.split("&")
        return await (self._stream_events if events else self._stream_array)(request)


def _whole(request: Request, body: bytes) -> GenerateRequest:
    return read(body, model=model_in(request.rest))


def _streamed(request: Request, body: bytes) -> GenerateRequest:
    return read(body, model=model_in(request.rest), stream=True)


def _in_array(request: Request, body: bytes) -> GenerateRequest:
    return read(body, model=model_in(request.rest), stream=True, array=True)


def _one_text(request: Request, body: bytes) -> EmbedRequest:
    return read_embed(body, model=model_in(request.rest), batch=False)


def _texts(request: Request, body: bytes) -> EmbedRequest:
    return read_embed(body, model=model_in(request.rest), batch=True)
