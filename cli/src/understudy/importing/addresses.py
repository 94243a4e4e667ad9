"""Addresses out of foreign files: what must not be in one is left out, and a vendor's own needs no saying."""

from urllib.parse import urlsplit

from understudy.importing.objects import Made
from understudy.importing.vendors import object_name
from understudy_api.v1alpha1.provider import ProviderType
from understudy_operator.compile.vendors import VENDORS


def set_address(made: Made, url: str) -> None:
    """Give a provider its address, without a user, a password or a query; none where it is the vendor's own."""
    try:
        parts = urlsplit(url)
    except ValueError:
        made.comments.append("Its address is none: write it here.")
        made.spec["baseURL"] = placeholder(f"{made.name} address")
        return
    host = parts.netloc.rpartition("@")[2]
    if host != parts.netloc or parts.query or parts.fragment:
        made.comments.append("Its address held credentials or a query, which are left out: keys belong in Secrets.")
    if f"https://{host}" != VENDORS[ProviderType(made.spec["type"])].host:
        made.spec["baseURL"] = f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def placeholder(variable: str) -> str:
    """An address that leads nowhere, for one that only an environment knows."""
    return f"https://{object_name(variable)}.invalid"
