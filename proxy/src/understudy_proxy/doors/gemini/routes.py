"""Where the doors for Google's clients are: the Developer API's paths, and Vertex AI's.

`/v1/models` is OpenAI's and Anthropic's as well; `doors/models.py` tells whose client asks.
"""

from understudy_proxy.doors.door import Door, Route
from understudy_proxy.doors.gemini.errors import gemini_errors
from understudy_proxy.doors.gemini.methods import MethodsDoor
from understudy_proxy.doors.gemini.models import GeminiModelsDoor
from understudy_proxy.doors.names import Names
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.telemetry.metrics import Metrics

_MODELS = "/v1beta/models"
_VERTEX = ("/v1/projects", "/v1beta1/projects", "/v1/publishers", "/v1beta1/publishers")


def gemini_routes(*, names: Names, exchange: Exchange, metrics: Metrics) -> tuple[Route, ...]:
    """All that are theirs alone."""
    methods = MethodsDoor(names=names, exchange=exchange, metrics=metrics)
    models = GeminiModelsDoor(names)
    below: dict[str, Door] = {"GET": models.one, "POST": methods}
    return (
        Route(_MODELS, {"GET": models.list}, errors=gemini_errors),
        Route(_MODELS, below, errors=gemini_errors, below=True),
        *(Route(path, below, errors=gemini_errors, below=True) for path in _VERTEX),
    )
