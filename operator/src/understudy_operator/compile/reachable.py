"""What a persona may refer to."""

from dataclasses import dataclass

from understudy_api.config import Target
from understudy_api.v1alpha1 import Persona
from understudy_api.v1alpha1.meta import ObjectReference
from understudy_operator.compile.backends import Directory
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.lookup import Lookup, not_permitted
from understudy_operator.compile.reading import Item
from understudy_operator.compile.sources import Missing
from understudy_operator.compile.targets import CompiledTarget
from understudy_operator.compile.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Reachable:
    """Everything that personas may refer to, each other included."""

    inputs: Inputs
    personas: Lookup[Item[Persona]]
    directory: Directory
    routes: Lookup[CompiledTarget]
    toolbox: Toolbox

    def find_route(self, ref: ObjectReference, *, namespace: str) -> Target | Missing:
        """The route that a persona in `namespace` refers to."""
        at = (ref.namespace or namespace, ref.name)
        found = self.routes.find(at, namespace=namespace)
        if isinstance(found, Missing):
            return found
        if not self.directory.namespaces.permits(found.access, of=at[0], to=namespace):
            return not_permitted(found.report, namespace=namespace, field="spec.access")
        return found.target if found.target and found.target.rules else self.routes.not_served(found.report)
