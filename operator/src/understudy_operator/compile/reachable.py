"""What a persona may refer to."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy_api.config import Target
from understudy_api.v1alpha1 import Persona
from understudy_api.v1alpha1.meta import ObjectReference
from understudy_operator.compile.backends import Directory, hint
from understudy_operator.compile.inputs import Inputs, NamespacedName
from understudy_operator.compile.reading import Item
from understudy_operator.compile.sources import Missing
from understudy_operator.compile.targets import CompiledTarget
from understudy_operator.compile.toolbox import Toolbox
from understudy_operator.compile.verdict import ObjectKey, Reason, Report


@dataclass(frozen=True, slots=True)
class Reachable:
    """Everything that personas may refer to, each other included."""

    inputs: Inputs
    personas: Mapping[NamespacedName, Item[Persona]]
    directory: Directory
    routes: Mapping[NamespacedName, CompiledTarget]
    toolbox: Toolbox

    def find_route(self, ref: ObjectReference, *, namespace: str) -> Target | Missing:
        """The route that a persona in `namespace` refers to."""
        at = (ref.namespace or namespace, ref.name)
        key = ObjectKey("LLMRoute", *at)
        found = self.routes.get(at)
        if found is None:
            if key in self.directory.unreadable:
                return _not_served(self.directory.unreadable[key])
            own = (name for where, name in self.routes if where == namespace)
            near = hint(ref.name, own) if at[0] == namespace else ""
            return Missing(Reason.ROUTE_NOT_FOUND, f"{key} does not exist{near}")
        if not self.directory.namespaces.permits(found.access, of=at[0], to=namespace):
            message = f"{key} does not allow use from namespace {namespace}: its spec.access must let it in"
            return Missing(Reason.REF_NOT_PERMITTED, message)
        return found.target if found.target and found.target.rules else _not_served(found.report)


def _not_served(report: Report) -> Missing:
    return Missing(Reason.ROUTE_NOT_SERVED, f"{report.subject} is not served ({report.why_not_served()})")
