"""Credentials that a request cannot do with as they are: signatures of it, and tokens that run out."""

from understudy_proxy.exchange.credentials.protocol import CloudCredentials

__all__ = ["CloudCredentials"]
