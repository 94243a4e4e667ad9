"""Where the doors for Anthropic's clients are, but for the list of models, whose path is others' too."""

from understudy_proxy.dialects.anthropic.client import CLIENT, COUNT
from understudy_proxy.dialects.anthropic.names import COUNT_PATH, PATH
from understudy_proxy.dialects.counting import CountOperation
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.doors.anthropic.errors import anthropic_errors
from understudy_proxy.doors.anthropic.messages import Overloaded, read_message, read_message_to_count
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.generation import GenerationDoor
from understudy_proxy.doors.services import Services

_CHAT = ChatOperation(CLIENT, PROVIDERS)
_COUNT = CountOperation(COUNT, PROVIDERS)


def anthropic_routes(services: Services) -> tuple[Route, ...]:
    """All of them."""
    messages = GenerationDoor(read_message, _CHAT, services)
    counts = GenerationDoor(read_message_to_count, _COUNT, services, instead=_COUNT.estimate)
    return (
        Route(PATH, {"POST": Overloaded(messages)}, errors=anthropic_errors),
        Route(COUNT_PATH, {"POST": Overloaded(counts)}, errors=anthropic_errors),
    )
