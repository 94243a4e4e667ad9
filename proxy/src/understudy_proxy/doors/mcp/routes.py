"""Where the door of the protocol is."""

import time

from understudy_proxy.doors.availability import Availabilities
from understudy_proxy.doors.door import Route
from understudy_proxy.doors.mcp.completing import Completing
from understudy_proxy.doors.mcp.door import McpDoor
from understudy_proxy.doors.mcp.errors import mcp_errors
from understudy_proxy.doors.mcp.functions import Functions
from understudy_proxy.doors.mcp.inspecting import Inspecting
from understudy_proxy.doors.mcp.meshing import Meshing
from understudy_proxy.doors.mcp.methods import Methods
from understudy_proxy.doors.mcp.origins import Origins, origins_in
from understudy_proxy.doors.mcp.toolbox import Own, Toolbox
from understudy_proxy.doors.personas.providers import ProvidersDoor
from understudy_proxy.doors.services import Services
from understudy_proxy.settings import Settings
from understudy_proxy.telemetry.book import Book
from understudy_proxy.telemetry.summary import Summaries
from understudy_proxy.tools.tools import Tools


def mcp_routes(services: Services, *, tools: Tools, settings: Settings, book: Book) -> tuple[Route, ...]:
    """All of them."""
    availabilities = Availabilities(board=services.exchange.ledger.board, endpoints=services.exchange.endpoints)
    providers = ProvidersDoor(names=services.names, availabilities=availabilities)
    own = Own((*Completing(services).tools(), *Inspecting(providers, Summaries(book, timer=time.monotonic)).tools()))
    origins = Origins(origins_in(settings.mcp_origins))
    methods = Methods(Toolbox(own, Meshing(services), Functions(names=services.names, tools=tools)), book)
    door = McpDoor(methods, origins=origins, metrics=services.metrics)
    return (Route("/mcp", {"POST": door, "OPTIONS": origins.preflight}, errors=mcp_errors),)
