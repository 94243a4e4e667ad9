"""An upstream for tests: speaks a provider's wire format, fails on request, and records what it received.

`understudy mock` runs one; a test of your own runs `Mock` in its event loop. See `docs/mock.md`.
"""

from understudy.mock.faults import Fault, FaultError, parse_fault
from understudy.mock.records import Recorded, Stats
from understudy.mock.server import Mock
from understudy.mock.settings import Settings

__all__ = ["Fault", "FaultError", "Mock", "Recorded", "Settings", "Stats", "parse_fault"]
