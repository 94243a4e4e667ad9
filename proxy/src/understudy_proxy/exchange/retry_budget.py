"""How many attempts may be repeats: a bound on the load that retries add to an upstream in trouble.

It holds for asking the same backend again, not for the step to an understudy, which is what the understudy is for.
"""

from collections import OrderedDict

from understudy_api.config import RetryPolicy

_RETRY = 100
"""What a retry costs; a request pays in its policy's percentage of it."""
_RESERVE = 10 * _RETRY
"""Retries that a target with little traffic may make beside its percentage; one a second comes back."""
_SAVED_REQUESTS = 100
"""For how many requests the percentage is saved up: more, and a good past would excuse a storm."""
_TARGETS = 10_000


class _Account:
    __slots__ = ("at", "balance")

    def __init__(self, now: float) -> None:
        self.balance = _RESERVE
        self.at = now


class RetryBudget:
    """An account for each target."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def deposit(self, target: str, policy: RetryPolicy, *, now: float) -> None:
        """A request to `target` begins."""
        account = self._account(target, now)
        most = _RESERVE + _SAVED_REQUESTS * policy.budget_percent
        account.balance = min(account.balance + policy.budget_percent, most)

    def withdraw(self, target: str, *, now: float) -> bool:
        """Whether another retry may be made; it is counted if so."""
        account = self._account(target, now)
        refilled = account.balance + int((now - account.at) * _RETRY)
        account.balance = max(account.balance, min(refilled, _RESERVE))
        account.at = now
        if account.balance < _RETRY:
            return False
        account.balance -= _RETRY
        return True

    def _account(self, target: str, now: float) -> _Account:
        account = self._accounts.get(target)
        if account is None:
            account = self._accounts[target] = _Account(now)
            if len(self._accounts) > _TARGETS:
                self._accounts.popitem(last=False)
        return account
