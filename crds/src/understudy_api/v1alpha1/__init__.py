"""The four kinds that users write, `understudy.dev/v1alpha1`.

Only the kinds and what names them are exported; their parts live in the module of their kind.
"""

from understudy_api.v1alpha1.fields import field_path
from understudy_api.v1alpha1.kinds import KINDS, PLURALS, AnyResource
from understudy_api.v1alpha1.meta import API_VERSION, GROUP, VERSION, Condition, ObjectMeta, Resource, Status
from understudy_api.v1alpha1.persona import Persona, PersonaSpec
from understudy_api.v1alpha1.provider import LLMProvider, LLMProviderSpec
from understudy_api.v1alpha1.reading import Invalid, Problem, parse
from understudy_api.v1alpha1.route import LLMRoute, LLMRouteSpec
from understudy_api.v1alpha1.tool import LLMTool, LLMToolSpec

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "PLURALS",
    "VERSION",
    "AnyResource",
    "Condition",
    "Invalid",
    "LLMProvider",
    "LLMProviderSpec",
    "LLMRoute",
    "LLMRouteSpec",
    "LLMTool",
    "LLMToolSpec",
    "ObjectMeta",
    "Persona",
    "PersonaSpec",
    "Problem",
    "Resource",
    "Status",
    "field_path",
    "parse",
]
