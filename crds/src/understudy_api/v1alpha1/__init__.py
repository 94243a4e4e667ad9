"""The four kinds that users write, `understudy.dev/v1alpha1`.

Only the kinds and what names them are exported; their parts live in the module of their kind.
"""

from understudy_api.v1alpha1.meta import API_VERSION, GROUP, VERSION, Condition, ObjectMeta, Resource, Status
from understudy_api.v1alpha1.persona import Persona, PersonaSpec
from understudy_api.v1alpha1.provider import LLMProvider, LLMProviderSpec
from understudy_api.v1alpha1.route import LLMRoute, LLMRouteSpec
from understudy_api.v1alpha1.tool import LLMTool, LLMToolSpec

KINDS: dict[str, type[LLMProvider | LLMRoute | Persona | LLMTool]] = {
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

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "PLURALS",
    "VERSION",
    "Condition",
    "LLMProvider",
    "LLMProviderSpec",
    "LLMRoute",
    "LLMRouteSpec",
    "LLMTool",
    "LLMToolSpec",
    "ObjectMeta",
    "Persona",
    "PersonaSpec",
    "Resource",
    "Status",
]
