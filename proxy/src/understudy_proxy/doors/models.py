"""The doors `/v1/models` and `/v1/models/{id}`, which are in several vendors' APIs."""

from understudy_proxy.dialects.anthropic.names import VERSION_HEADER
from understudy_proxy.doors.anthropic.errors import anthropic_errors
from understudy_proxy.doors.anthropic.models import AnthropicModelsDoor
from understudy_proxy.doors.choosing import ByHeader, Told
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.doors.openai.models import ModelsDoor


def model_routes(names: Names) -> tuple[Route, ...]:
    """Both; whoever says nothing else is a client of OpenAI's."""
    openai, anthropic = ModelsDoor(names), AnthropicModelsDoor(names)
    lists = ByHeader(openai.list, Told(VERSION_HEADER, anthropic.list, anthropic_errors))
    ones = ByHeader(openai.one, Told(VERSION_HEADER, anthropic.one, anthropic_errors))
    return (
        Route("/v1/models", {"GET": lists}, errors=openai_errors),
        Route("/v1/models", {"GET": ones}, errors=openai_errors, below=True),
    )
