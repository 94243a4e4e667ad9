"""What a persona may refer to."""

from dataclasses import dataclass
from typing import Self

from understudy_api.config import Target
from understudy_api.v1alpha1 import Persona
from understudy_api.v1alpha1.meta import ObjectReference
from understudy_operator.compile.backends import Directory
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.lookup import Lookup, not_permitted
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.reading import Item, Objects
from understudy_operator.compile.targets import CompiledTarget, CompiledTargets
from understudy_operator.compile.toolbox import Toolbox
from understudy_operator.compile.verdict import Reason


@dataclass(frozen=True, slots=True)
class Reachable:
    """Everything that personas may refer to, each other included."""

    inputs: Inputs
    personas: Lookup[Item[Persona]]
    directory: Directory
    routes: Lookup[CompiledTarget]
    toolbox: Toolbox

    @classmethod
    def among(
        cls, objects: Objects, inputs: Inputs, *, directory: Directory, routes: CompiledTargets, toolbox: Toolbox
    ) -> Self:
        """What personas may refer to among all objects."""
        personas = Lookup(
            "Persona",
            objects.personas,
            objects.unreadable,
            not_found=Reason.PERSONA_NOT_FOUND,
            not_served=Reason.PERSONA_NOT_SERVED,
        )
        by_name = Lookup(
            "LLMRoute",
            routes.by_name,
            objects.unreadable,
            not_found=Reason.ROUTE_NOT_FOUND,
            not_served=Reason.ROUTE_NOT_SERVED,
        )
        return cls(inputs=inputs, personas=personas, directory=directory, routes=by_name, toolbox=toolbox)

    def find_route(self, ref: ObjectReference, *, namespace: str) -> Target | Missing:
        """The route that a persona in `namespace` refers to."""
        at = (ref.namespace or namespace, ref.name)
        found = self.routes.find(at, namespace=namespace)
        if isinstance(found, Missing):
            return found
        if not self.directory.namespaces.permits(found.access, of=at[0], to=namespace):
            return not_permitted(found.report, namespace=namespace, field="spec.access")
        return found.target if found.target and found.target.rules else self.routes.not_served(found.report)
