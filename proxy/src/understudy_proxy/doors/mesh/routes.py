"""Where agents of a mesh find the registry: at the paths that they expect, without any before them."""

from understudy_proxy.doors.door import Route
from understudy_proxy.doors.mesh.errors import mesh_errors
from understudy_proxy.doors.mesh.registry import RegistryDoors


def mesh_routes(doors: RegistryDoors) -> tuple[Route, ...]:
    """All of them; `/health` is the gateway's."""
    return (
        Route("/heartbeat", {"POST": doors.heartbeat}, mesh_errors),
        Route("/heartbeat", {"GET": doors.beat}, mesh_errors, below=True),
        Route("/agents", {"GET": doors.agents}, mesh_errors),
        Route("/agents", {"GET": doors.nothing, "POST": doors.nothing, "DELETE": doors.leave}, mesh_errors, below=True),
    )
