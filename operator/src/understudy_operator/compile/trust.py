"""Certificate authorities that a provider's TLS trusts beside the system's."""

import base64
import binascii
import re

from understudy_api.config import TLS
from understudy_api.v1alpha1.meta import CABundleReference
from understudy_api.v1alpha1.provider import ProviderTLS
from understudy_operator.compile.inputs import Inputs
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.sources import read_config_map_text, read_secret_text
from understudy_operator.compile.verdict import Reason

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")


def compile_tls(inputs: Inputs, tls: ProviderTLS, *, namespace: str) -> TLS | Missing:
    """A provider's TLS settings with the certificates themselves."""
    if tls.ca_bundle_ref is None:
        return TLS(ca_pem=None, server_name=tls.server_name)
    bundle = _read_bundle(inputs, tls.ca_bundle_ref, namespace=namespace)
    if isinstance(bundle, Missing):
        return bundle
    return TLS(ca_pem=bundle, server_name=tls.server_name)


def _read_bundle(inputs: Inputs, ref: CABundleReference, *, namespace: str) -> str | Missing:
    in_secret = ref.kind == "Secret"
    read = read_secret_text if in_secret else read_config_map_text
    text = read(inputs, (namespace, ref.name), key=ref.key)
    if isinstance(text, Missing):
        return text
    certificates = [_certificate(match.group(1)) for match in _CERTIFICATE.finditer(text)]
    if certificates and all(certificates):
        return "".join(each for each in certificates if each)
    reason = Reason.INVALID_SECRET if in_secret else Reason.INVALID_CONFIG_MAP
    problem = "a broken PEM certificate" if certificates else "no PEM certificate (BEGIN CERTIFICATE … END CERTIFICATE)"
    return Missing(reason, f"{ref.kind} {namespace}/{ref.name}, key {ref.key}, holds {problem}")


def _certificate(body: str) -> str | None:
    """The certificate in PEM again, or None when it is cut or garbled.

    Only certificates are copied: a private key that lies beside them in the bundle stays where it is.
    """
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (ValueError, binascii.Error):
        return None
    if not _is_one_sequence(der):
        return None
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def _is_one_sequence(der: bytes) -> bool:
    """Whether the outermost DER element is a SEQUENCE as long as it says; certificates need two length bytes."""
    return len(der) > 4 and der[:2] == b"\x30\x82" and int.from_bytes(der[2:4], "big") == len(der) - 4
