"""Where a provider is: its base URL, from what the object says and what its type means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from understudy_api.v1alpha1.meta import ServiceReference
from understudy_api.v1alpha1.provider import Auth, LLMProviderSpec, ProviderType
from understudy_operator.compile.report import Report
from understudy_operator.compile.vendors import Vendor
from understudy_operator.compile.verdict import Reason

_GLOBAL = "global"
_PLACE = re.compile(r"[a-z0-9-]{1,63}")
"""A location becomes part of a host name."""
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]*")
"""A project's id or number, an older one with its organization's domain: part of a path."""


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL without a trailing slash, and whether each address behind its host is an endpoint of its own."""

    base_url: str
    per_address: bool = False


def address_of(report: Report, spec: LLMProviderSpec, vendor: Vendor, *, namespace: str) -> Address | None:
    """The provider's address; None when it has none that can be used, which is reported."""
    places = _places(report, spec.auth)
    path = vendor.path.format_map(places)
    if spec.service_ref is not None:
        host = service_host(spec.service_ref, namespace=namespace, tls=spec.tls is not None)
        return Address(host + path, per_address=True)
    if spec.base_url is not None:
        return _given_address(report, spec.base_url, vendor, path=path)
    if spec.type is ProviderType.MESH:
        return Address("")  # the gateway's own registry
    if vendor.host is None:
        message = f"is required, or spec.serviceRef: type {spec.type} has no default address"
        report.refuse(Reason.INVALID, "spec.baseURL", message)
        return None
    return Address(_host(vendor.host, places) + path)


def _places(report: Report, auth: Auth | None) -> Mapping[str, str]:
    """What a cloud's addresses are made of."""
    if auth is not None and auth.gcp is not None:
        for name, value, form in (("location", auth.gcp.location, _PLACE), ("project", auth.gcp.project, _PROJECT)):
            if not form.fullmatch(value):
                message = f"is no {name} of Google Cloud: it is part of the address"
                report.refuse(Reason.INVALID, f"spec.auth.gcp.{name}", message)
        return {"location": auth.gcp.location, "project": auth.gcp.project}
    return {"region": auth.aws.region} if auth is not None and auth.aws is not None else {}


def _host(template: str, places: Mapping[str, str]) -> str:
    """Google's global location is the one without a prefix."""
    if places.get("location") == _GLOBAL:
        return template.replace("{location}-", "")
    return template.format_map(places)


def service_host(ref: ServiceReference, *, namespace: str, tls: bool) -> str:
    """The base URL of a Service, by the name that certificates in a cluster carry.

    Not the absolute `….svc.cluster.local.`: the cluster's domain need not be cluster.local, and the trailing dot
    would travel in Host and SNI, which servers and certificates do not match. With `ndots:5` this name costs a
    resolver two misses before the hit; addresses are resolved in the background, never in a request.
    """
    scheme = "https" if tls else "http"
    return f"{scheme}://{ref.name}.{ref.namespace or namespace}.svc:{ref.port}"


def _given_address(report: Report, given: str, vendor: Vendor, *, path: str) -> Address | None:
    url = given.rstrip("/")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, or half an IPv6 address
        parts, usable = urlsplit(""), False
    if not usable:
        report.refuse(Reason.INVALID, "spec.baseURL", "is not a URL: its host or port cannot be read")
        return None
    if not vendor.own_path:
        return Address(_below(parts, path, dropped=vendor.dropped))
    if not parts.path:
        message = f"has no path; servers of this dialect are usually asked under {path}: is it missing?"
        report.warn(Reason.SUSPICIOUS_ADDRESS, "spec.baseURL", message)
    return Address(url)


def _below(parts: SplitResult, path: str, *, dropped: str) -> str:
    """`path` below a base URL; as much of it as the URL ends with already is not added again."""
    given = parts.path.removesuffix(dropped)
    steps = path.split("/")
    for count in range(len(steps), 1, -1):
        if given.endswith("/".join(steps[:count])):
            return parts._replace(path=given + path.removeprefix("/".join(steps[:count]))).geturl()
    return parts._replace(path=given + path).geturl()
