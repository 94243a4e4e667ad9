"""How many attempts may be repeats: a bound on the load that retries add to an upstream in trouble.

It holds for asking the same backend again, not for the step to an understudy, which is what the understudy is for.
"""

from collections import OrderedDict

from understudy_api.config import RetryPolicy

_RESERVE = 10.0
"""Retries that a target with little traffic may make beside its percentage."""
_RESERVE_PER_SECOND = 1.0
_TARGETS = 10_000


class _Bucket:
    __slots__ = ("at", "tokens")

    def __init__(self, now: float) -> None:
        self.tokens = _RESERVE
        self.at = now


class RetryBudget:
    """A token bucket for each target: a request pays in its percentage of a retry, a retry takes one out."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def deposit(self, target: str, policy: RetryPolicy, *, now: float) -> None:
        """A request to `target` begins."""
        bucket = self._bucket(target, now)
        # What a minute of 10,000 requests pays in is enough for any burst; beyond it the past would excuse a storm.
        bucket.tokens = min(bucket.tokens + policy.budget_percent / 100, _RESERVE + policy.budget_percent)

    def withdraw(self, target: str, *, now: float) -> bool:
        """Whether another retry may be made; it is counted if so."""
        bucket = self._bucket(target, now)
        refill = (now - bucket.at) * _RESERVE_PER_SECOND
        bucket.tokens = max(bucket.tokens, min(bucket.tokens + refill, _RESERVE))
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _bucket(self, target: str, now: float) -> _Bucket:
        bucket = self._buckets.get(target)
        if bucket is None:
            bucket = self._buckets[target] = _Bucket(now)
            if len(self._buckets) > _TARGETS:
                self._buckets.popitem(last=False)
        return bucket
