"""Where the doors of personas are."""

from understudy_proxy.doors.asking import Asking
from understudy_proxy.doors.availability import Availabilities
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.personas.chat import PersonaChatDoor
from understudy_proxy.doors.personas.providers import ProvidersDoor
from understudy_proxy.doors.personas.roles import PersonasDoor
from understudy_proxy.doors.plain.errors import plain_errors
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.telemetry.metrics import Metrics


def persona_routes(*, names: Names, exchange: Exchange, metrics: Metrics) -> tuple[Route, ...]:
    """All of them."""
    asking = Asking(names=names, exchange=exchange, metrics=metrics)
    availabilities = Availabilities(board=exchange.ledger.board, endpoints=exchange.endpoints)
    chat = PersonaChatDoor(asking, names=names, metrics=metrics)
    personas = PersonasDoor(names=names, availabilities=availabilities)
    providers = ProvidersDoor(names=names, availabilities=availabilities)
    return (
        Route("/api/v1/chat", {"POST": chat}, errors=plain_errors),
        Route("/api/v1/personas", {"GET": personas}, errors=plain_errors),
        Route("/api/v1/providers", {"GET": providers}, errors=plain_errors),
    )
