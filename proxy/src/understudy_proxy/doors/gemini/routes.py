"""Where the doors for Google's clients are: the Developer API's paths, and Vertex AI's.

`/v1/models` is OpenAI's and Anthropic's as well; `doors/models.py` tells whose client asks.
"""

from understudy_proxy.doors.door import Door, Route
from understudy_proxy.doors.gemini.errors import gemini_errors
from understudy_proxy.doors.gemini.methods import MethodsDoor
from understudy_proxy.doors.gemini.models import GeminiModelsDoor
from understudy_proxy.doors.gemini.paths import developer, vertex
from understudy_proxy.doors.services import Services

_MODELS = "/v1beta/models"
_VERTEX = ("/v1/projects", "/v1beta1/projects", "/v1/publishers", "/v1beta1/publishers")


def gemini_routes(services: Services) -> tuple[Route, ...]:
    """All that are theirs alone."""
    models, on_vertex = GeminiModelsDoor(services.names), GeminiModelsDoor(services.names, vertex)
    methods = MethodsDoor(developer, services)
    methods_on_vertex = MethodsDoor(vertex, services)
    below: dict[str, Door] = {"GET": models.one, "POST": methods}
    below_vertex: dict[str, Door] = {"GET": on_vertex.one, "POST": methods_on_vertex}
    return (
        Route(_MODELS, {"GET": models.list}, errors=gemini_errors),
        Route(_MODELS, below, errors=gemini_errors, below=True),
        *(Route(path, below_vertex, errors=gemini_errors, below=True) for path in _VERTEX),
    )
