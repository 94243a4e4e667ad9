"""Where the internal doors are."""

import time

from understudy_proxy.doors.door import Route
from understudy_proxy.doors.internal.agents import AgentLimits
from understudy_proxy.doors.internal.lists import InternalLists
from understudy_proxy.doors.internal.proxy import InternalProxyDoor
from understudy_proxy.doors.internal.secret import SharedSecret, secrets_in
from understudy_proxy.doors.internal.usage import AgentUsage
from understudy_proxy.doors.plain.errors import plain_errors
from understudy_proxy.doors.services import Services
from understudy_proxy.settings import Settings


def internal_routes(services: Services, *, settings: Settings) -> tuple[Route, ...]:
    """All of them."""
    secret = SharedSecret(secrets_in(settings.internal_secret))
    usage = AgentUsage(clock=time.time)
    limits = AgentLimits(settings.internal_requests_per_minute, timer=time.monotonic)
    proxy = InternalProxyDoor(services, secret=secret, limits=limits, usage=usage)
    lists = InternalLists(names=services.names, secret=secret, usage=usage, metrics=services.metrics)
    return (
        Route("/internal/llm/proxy", {"POST": proxy}, errors=plain_errors),
        Route("/internal/llm/models", {"GET": lists.models}, errors=plain_errors),
        Route("/internal/llm/usage", {"GET": lists.usage}, errors=plain_errors),
    )
