"""Credentials that a request cannot do with as they are: signatures of it, and tokens that run out.

What knows a cloud is in its own module and imports that cloud's library only when a configuration asks for it: a proxy
without such a provider pays neither the time nor the memory.
"""

from understudy_proxy.exchange.credentials.making import credentials_for, references
from understudy_proxy.exchange.credentials.protocol import CloudCredentials, UnusableIdentity

__all__ = ["CloudCredentials", "UnusableIdentity", "credentials_for", "references"]
