"""What apps of these doors have always been told when providers fail: 502, whichever way they failed.

Other doors pass on the provider's own status where it says more; here `detail` does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from understudy_proxy.doors.door import Refused
from understudy_proxy.failure import FailureKind

_FAILED = frozenset(FailureKind) - {FailureKind.BUSY}
"""Who is busy was not asked: that is no failure, and passes."""


@contextmanager
def bad_gateway() -> Iterator[None]:
    """Let every failure of providers be a 502. What the request is to blame for, or what passes, stays what it is."""
    try:
        yield
    except Refused as refused:
        if refused.status >= 500 and refused.reason in _FAILED:
            refused.status = 502
        raise
