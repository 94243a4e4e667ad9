"""What every door that asks models works with; one object, so that a door that needs more of it takes nothing more."""

from dataclasses import dataclass

from understudy_proxy.doors.asking import Asking
from understudy_proxy.doors.names import Names
from understudy_proxy.doors.sessions.turns import Sessions
from understudy_proxy.exchange.exchange import Exchange
from understudy_proxy.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Services:
    """The same for all doors of a gateway."""

    names: Names
    exchange: Exchange
    metrics: Metrics
    asking: Asking
    """Asks by the three above."""
    sessions: Sessions
    """What is remembered of conversations."""
