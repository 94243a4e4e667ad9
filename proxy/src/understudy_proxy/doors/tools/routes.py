"""Where the tools' doors are."""

from understudy_proxy.doors.door import Route
from understudy_proxy.doors.services import Services
from understudy_proxy.doors.tools.errors import tool_errors
from understudy_proxy.doors.tools.execute import ExecuteDoor
from understudy_proxy.doors.tools.listing import ToolsDoor
from understudy_proxy.tools.tools import Tools


def tool_routes(services: Services, *, tools: Tools) -> tuple[Route, ...]:
    """All of them."""
    listing = ToolsDoor(names=services.names, tools=tools)
    execute = ExecuteDoor(names=services.names, tools=tools, metrics=services.metrics)
    return (
        Route("/v1/tools", {"GET": listing}, errors=tool_errors),
        Route("/v1/tools/execute", {"POST": execute}, errors=tool_errors),
    )
