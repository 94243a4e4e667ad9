"""Where the doors of sessions are."""

from understudy_proxy.doors.door import Route
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.doors.services import Services
from understudy_proxy.doors.sessions.door import SessionsDoor

_PATH = "/v1/sessions"


def session_routes(services: Services) -> tuple[Route, ...]:
    """All of them."""
    door = SessionsDoor(services.sessions.shelf, services.metrics)
    return (
        Route(_PATH, {"POST": door.create}, errors=openai_errors),
        Route(_PATH, {"GET": door.show, "DELETE": door.delete}, errors=openai_errors, below=True),
    )
