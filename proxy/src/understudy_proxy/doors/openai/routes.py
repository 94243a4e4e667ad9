"""Where the doors for OpenAI's clients are."""

from understudy_proxy.dialects.openai.client import CLIENT
from understudy_proxy.dialects.openai.request import read
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.generation import GenerationDoor
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.doors.openai.responses import Responses, ResponsesDoor
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.state.store import Store
from understudy_proxy.telemetry.metrics import Metrics

_CHAT = ChatOperation(CLIENT, PROVIDERS)


def openai_routes(*, names: Names, exchange: Exchange, metrics: Metrics, store: Store) -> tuple[Route, ...]:
    """All of them."""
    chat = GenerationDoor(lambda _request, body: read(body), _CHAT, names=names, exchange=exchange, metrics=metrics)
    remembered = Responses(store, names)
    respond = ResponsesDoor(remembered, names=names, exchange=exchange, metrics=metrics)
    return (
        Route("/v1/chat/completions", {"POST": chat}, errors=openai_errors),
        Route("/v1/responses", {"POST": respond}, errors=openai_errors),
        Route("/v1/responses", {"GET": remembered.get, "DELETE": remembered.delete}, errors=openai_errors, below=True),
    )
