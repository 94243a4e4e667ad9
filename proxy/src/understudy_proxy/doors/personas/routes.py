"""Where the doors of personas are."""

from understudy_proxy.doors.availability import Availabilities
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.personas.chat import PersonaChatDoor
from understudy_proxy.doors.personas.providers import ProvidersDoor
from understudy_proxy.doors.personas.roles import PersonasDoor
from understudy_proxy.doors.plain.errors import plain_errors
from understudy_proxy.doors.services import Services


def persona_routes(services: Services) -> tuple[Route, ...]:
    """All of them."""
    availabilities = Availabilities(board=services.exchange.ledger.board, endpoints=services.exchange.endpoints)
    chat = PersonaChatDoor(services)
    personas = PersonasDoor(names=services.names, availabilities=availabilities)
    providers = ProvidersDoor(names=services.names, availabilities=availabilities)
    return (
        Route("/api/v1/chat", {"POST": chat}, errors=plain_errors),
        Route("/api/v1/personas", {"GET": personas}, errors=plain_errors),
        Route("/api/v1/providers", {"GET": providers}, errors=plain_errors),
    )
