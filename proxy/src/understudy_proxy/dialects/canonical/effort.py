"""How hard to think, where one side says it in words and the other in tokens.

The numbers are those that gateways of the field have in common, so that a prompt costs about the same behind any.
"""

from understudy_proxy.dialects.canonical.chat import Effort

_BUDGETS = {
    Effort.NONE: 0,
    Effort.MINIMAL: 1024,
    Effort.LOW: 1024,
    Effort.MEDIUM: 2048,
    Effort.HIGH: 4096,
    Effort.XHIGH: 8192,
    Effort.MAX: 16_384,
}
_EFFORTS = ((0, Effort.NONE), (2048, Effort.LOW), (8192, Effort.MEDIUM))
"""Up to so many tokens. Whoever states a budget is generous with it: what is not used costs nothing."""


def budget_of(effort: Effort) -> int:
    """Tokens to think with; 0 for no thinking."""
    return _BUDGETS[effort]


def effort_of(budget_tokens: int) -> Effort:
    """The word for a budget."""
    return next((effort for most, effort in _EFFORTS if budget_tokens <= most), Effort.HIGH)
