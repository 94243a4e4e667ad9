"""The four kinds by name."""

from understudy_api.v1alpha1.persona import Persona
from understudy_api.v1alpha1.provider import LLMProvider
from understudy_api.v1alpha1.route import LLMRoute
from understudy_api.v1alpha1.tool import LLMTool

AnyResource = LLMProvider | LLMRoute | Persona | LLMTool
"""An object of any of the four kinds."""

KINDS: dict[str, type[AnyResource]] = {
    "LLMProvider": LLMProvider,
    "LLMRoute": LLMRoute,
    "Persona": Persona,
    "LLMTool": LLMTool,
}
PLURALS = {
    "LLMProvider": "llmproviders",
    "LLMRoute": "llmroutes",
    "Persona": "personas",
    "LLMTool": "llmtools",
}
