"""The doors `/v1/models` and what is below, which are in several vendors' APIs.

Google's clients also generate there: `POST /v1/models/NAME:generateContent`.
"""

from understudy_proxy.dialects.anthropic.names import VERSION_HEADER
from understudy_proxy.doors.anthropic.errors import anthropic_errors
from understudy_proxy.doors.anthropic.models import AnthropicModelsDoor
from understudy_proxy.doors.choosing import ByHeader, Told
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.gemini.errors import gemini_errors
from understudy_proxy.doors.gemini.methods import MethodsDoor
from understudy_proxy.doors.gemini.models import GeminiModelsDoor
from understudy_proxy.doors.gemini.paths import developer
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.doors.openai.models import ModelsDoor
from understudy_proxy.doors.services import Services

_GOOGLE_KEY, _GOOGLE_PARAMETER = "x-goog-api-key", "key"


def model_routes(services: Services) -> tuple[Route, ...]:
    """All of them; whoever says nothing else is a client of OpenAI's."""
    names = services.names
    openai, anthropic, google = ModelsDoor(names), AnthropicModelsDoor(names), GeminiModelsDoor(names)
    lists = ByHeader(
        openai.list,
        Told(VERSION_HEADER, anthropic.list, anthropic_errors),
        Told(_GOOGLE_KEY, google.list, gemini_errors, _GOOGLE_PARAMETER),
    )
    ones = ByHeader(
        openai.one,
        Told(VERSION_HEADER, anthropic.one, anthropic_errors),
        Told(_GOOGLE_KEY, google.one, gemini_errors, _GOOGLE_PARAMETER),
    )
    methods = MethodsDoor(developer, services)
    return (
        Route("/v1/models", {"GET": lists}, errors=openai_errors),
        Route(
            "/v1/models",
            {"GET": ones, "POST": methods},
            errors=openai_errors,
            below=True,
            errors_by_method={"POST": gemini_errors},
        ),
        # Azure's newer paths are OpenAI's, below a prefix; its older ones lack the version.
        *(
            route
            for path in ("/openai/v1/models", "/openai/models")
            for route in (
                Route(path, {"GET": openai.list}, errors=openai_errors),
                Route(path, {"GET": openai.one}, errors=openai_errors, below=True),
            )
        ),
    )
