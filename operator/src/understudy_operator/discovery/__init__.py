"""Asking the servers of LLMProviders which models they have, for whoever compiles: the operator, and a laptop.

`answers` reads what servers say and is pure; `asking` puts one question to one server; `poller` asks all of them again
and again. What is done with it is compile's business.
"""

from understudy_operator.discovery.asking import Servers
from understudy_operator.discovery.poller import Ask, Poller, first_answers, recalled

__all__ = ["Ask", "Poller", "Servers", "first_answers", "recalled"]
