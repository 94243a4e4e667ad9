"""TLS contexts, one for each distinct set of extra certificates.

Reading the system's trust store takes tens of milliseconds, and a connection pool keys its connections by context: so
a context outlives the configuration that asked for it, and equal settings share one.
"""

import ssl
from functools import lru_cache

from understudy_api.config import TLS


class BadCertificate(Exception):
    """The CA bundle is not a set of PEM certificates."""


def context_for(tls: TLS | None) -> ssl.SSLContext | bool:
    """The context that trusts what `tls` says, or True when the system's trust is enough.

    Raises:
        BadCertificate: the CA bundle cannot be read.
    """
    return True if tls is None or tls.ca_pem is None else _trusting(tls.ca_pem)


@lru_cache(maxsize=256)  # distinct CA bundles; a fleet has a handful
def _trusting(ca_pem: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise BadCertificate(f"the CA bundle holds no readable PEM certificate: {error}") from error
    return context
