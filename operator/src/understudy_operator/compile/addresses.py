"""Where a provider is: its base URL, from what the object says and what its type means."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from understudy_api.v1alpha1.meta import ServiceReference
from understudy_api.v1alpha1.provider import LLMProviderSpec
from understudy_operator.compile.report import Report
from understudy_operator.compile.vendors import Vendor
from understudy_operator.compile.verdict import Reason

_DIALECT_PATH = "/v1"
"""The path under which servers of the OpenAI dialect keep it."""


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL without a trailing slash, and whether each address behind its host is an endpoint of its own."""

    base_url: str
    per_address: bool = False


def address_of(report: Report, spec: LLMProviderSpec, vendor: Vendor, *, namespace: str) -> Address | None:
    """The provider's address; None when it has none that can be used, which is reported."""
    if spec.service_ref is not None:
        return Address(_service_url(spec.service_ref, namespace=namespace, tls=spec.tls is not None), per_address=True)
    if spec.base_url is not None:
        return _given_address(report, spec.base_url, vendor)
    if vendor.base_url is not None:
        return Address(vendor.base_url)
    message = f"is required, or spec.serviceRef: type {spec.type} has no default address"
    report.refuse(Reason.INVALID, "spec.baseURL", message)
    return None


def _service_url(ref: ServiceReference, *, namespace: str, tls: bool) -> str:
    """The Service by the name that certificates in a cluster carry.

    Not the absolute `….svc.cluster.local.`: the cluster's domain need not be cluster.local, and the trailing dot
    would travel in Host and SNI, which servers and certificates do not match. With `ndots:5` this name costs a
    resolver two misses before the hit; addresses are resolved in the background, never in a request.
    """
    scheme = "https" if tls else "http"
    return f"{scheme}://{ref.name}.{ref.namespace or namespace}.svc:{ref.port}{_DIALECT_PATH}"


def _given_address(report: Report, given: str, vendor: Vendor) -> Address | None:
    url = given.rstrip("/")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, or half an IPv6 address
        parts, usable = urlsplit(""), False
    if not usable:
        report.refuse(Reason.INVALID, "spec.baseURL", "is not a URL: its host or port cannot be read")
        return None
    if vendor.bare_host and not url.endswith(_DIALECT_PATH):
        return Address(url + _DIALECT_PATH)
    if not parts.path:
        message = f"has no path; servers of this dialect are usually asked under {_DIALECT_PATH}: is it missing?"
        report.warn(Reason.SUSPICIOUS_ADDRESS, "spec.baseURL", message)
    return Address(url)
