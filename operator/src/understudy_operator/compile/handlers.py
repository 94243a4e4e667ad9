"""Who runs a tool: where it is called, with which headers, and as whom."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from understudy_api.config import CredentialRef, HttpTool
from understudy_api.v1alpha1.meta import SecretKeySelector
from understudy_api.v1alpha1.tool import HttpHandler
from understudy_operator.compile.addresses import service_host
from understudy_operator.compile.durations import positive_seconds
from understudy_operator.compile.headers import compile_headers
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.report import Report
from understudy_operator.compile.sources import read_credential
from understudy_operator.compile.verdict import Reason

_AT = "spec.handler.http"
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class CompiledHandler:
    """A handler, and the secret values by the names that it has for them."""

    http: HttpTool
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def compile_handler(report: Report, handler: HttpHandler, inputs: Inputs, *, namespace: str) -> CompiledHandler | None:
    """The handler; None when its address cannot be used, which refuses the tool."""
    url = _url(report, handler, namespace=namespace)
    headers = compile_headers(
        report, handler.headers, at=(*_AT.split("."), "headers"), sign_in=f"{_AT}.auth.bearer.secretKeyRef"
    )
    timeout = positive_seconds(report, f"{_AT}.timeout", duration=handler.timeout, default=_TIMEOUT_SECONDS)
    credential: CredentialRef | None = None
    secrets: dict[str, str] = {}
    if handler.auth is not None:
        credential, secrets = _sign_in(report, handler.auth.bearer.secret_key_ref, inputs, namespace=namespace)
    if url is None:
        return None
    http = HttpTool(
        url=url, method=handler.method.value, headers=headers, timeout_seconds=timeout, credential=credential
    )
    return CompiledHandler(http, secrets)


def _sign_in(
    report: Report, ref: SecretKeySelector, inputs: Inputs, *, namespace: str
) -> tuple[CredentialRef, dict[str, str]]:
    """The token; one that is missing leaves its name behind, so that the tool is not called without it."""
    name = f"{namespace}/{ref.name}/{ref.key}"
    found = read_credential(inputs, (namespace, ref.name), key=ref.key)
    if isinstance(found, Missing):
        report.unresolved(f"{_AT}.auth.bearer.secretKeyRef", found)
        return CredentialRef(name=name, version=""), {}
    return CredentialRef(name=name, version=found.version), {name: found.value}


def _url(report: Report, handler: HttpHandler, *, namespace: str) -> str | None:
    if handler.service_ref is not None:
        return service_host(handler.service_ref, namespace=namespace, tls=False) + (handler.path or "/")
    url = handler.url or ""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and parts.netloc.isascii()
    except ValueError:  # a port beyond 65535, or half an IPv6 address
        usable = False
        parts = urlsplit("")
    if not usable:
        report.refuse(Reason.INVALID, f"{_AT}.url", "is not a URL: its host or port cannot be read")
        return None
    if _is_link_local(parts.hostname or ""):
        message = "is a link-local address, where clouds tell a machine its credentials: is it meant?"
        report.warn(Reason.SUSPICIOUS_ADDRESS, f"{_AT}.url", message)
    return parts._replace(fragment="").geturl()


def _is_link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_link_local
