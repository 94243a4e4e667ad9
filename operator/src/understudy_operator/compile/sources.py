"""Values out of Secrets and ConfigMaps.

A failure names the object and the key, and never holds a byte of a Secret.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy_operator.compile.inputs import Inputs, NamespacedName
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.verdict import Reason

MAX_CREDENTIAL = 8192
"""Characters: what common HTTP servers take as a header line."""
MAX_DOCUMENT = 64 * 1024
"""Characters; a service account's key takes some 2,400."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret value and the version that changes with it."""

    value: str
    version: str

    def __repr__(self) -> str:
        """Without the value: it must not reach a log."""
        return f"Credential(version={self.version!r})"


def read_credential(inputs: Inputs, at: NamespacedName, *, key: str) -> Credential | Missing:
    """A key for signing in, out of a Secret.

    The version is the Secret's resourceVersion, so that nothing outside the Secret is derived from its content; only
    a Secret out of a file, which has none, is told by its hash.
    """
    content = _secret_bytes(inputs, at, key=key)
    if isinstance(content, Missing):
        return content
    value = _header_text(content, what=f"Secret {at[0]}/{at[1]}, key {key},")
    return value if isinstance(value, Missing) else _versioned(inputs, at, value)


def read_secret_document(inputs: Inputs, at: NamespacedName, *, key: str) -> Credential | Missing:
    """A secret of several lines, such as a service account's key."""
    value = read_secret_text(inputs, at, key=key)
    if isinstance(value, Missing):
        return value
    if len(value) > MAX_DOCUMENT:
        message = f"Secret {at[0]}/{at[1]}, key {key}, is longer than {MAX_DOCUMENT} characters"
        return Missing(Reason.INVALID_SECRET, message)
    return _versioned(inputs, at, value)


def read_secret_text(inputs: Inputs, at: NamespacedName, *, key: str) -> str | Missing:
    """Text of any form out of a Secret."""
    content = _secret_bytes(inputs, at, key=key)
    if isinstance(content, Missing):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        return Missing(Reason.INVALID_SECRET, f"Secret {at[0]}/{at[1]}, key {key}, is not UTF-8 text")


def read_config_map_text(inputs: Inputs, at: NamespacedName, *, key: str) -> str | Missing:
    """Text out of a ConfigMap."""
    config_map = inputs.config_maps.get(at)
    what = f"ConfigMap {at[0]}/{at[1]}"
    if not isinstance(config_map, Mapping):
        return Missing(Reason.CONFIG_MAP_NOT_FOUND, f"{what} does not exist: create it with the key {key}")
    data = _mapping(config_map.get("data"))
    if key not in data:
        return Missing(Reason.KEY_NOT_FOUND, f"{what} has no key {key} in its data")
    text = data[key]
    if not isinstance(text, str) or not _is_unicode(text):
        return Missing(Reason.INVALID_CONFIG_MAP, f"{what}, key {key}, is not UTF-8 text")
    return text


def _versioned(inputs: Inputs, at: NamespacedName, value: str) -> Credential:
    version = _mapping(_mapping(inputs.secrets.get(at)).get("metadata")).get("resourceVersion")
    if not isinstance(version, str) or not version:
        version = hashlib.sha256(value.encode()).hexdigest()[:12]
    return Credential(value=value, version=version)


def _secret_bytes(inputs: Inputs, at: NamespacedName, *, key: str) -> bytes | Missing:
    """As the API server merges them: stringData wins over data."""
    secret = inputs.secrets.get(at)
    what = f"Secret {at[0]}/{at[1]}"
    if not isinstance(secret, Mapping):
        return Missing(Reason.SECRET_NOT_FOUND, f"{what} does not exist: create it with the key {key}")
    plain, encoded = _mapping(secret.get("stringData")), _mapping(secret.get("data"))
    if key in plain:
        text = plain[key]
        if not isinstance(text, str) or not _is_unicode(text):
            return Missing(Reason.INVALID_SECRET, f"{what}, key {key}, must be a string in stringData")
        return text.encode()
    if key not in encoded:
        return Missing(Reason.KEY_NOT_FOUND, f"{what} has no key {key}")
    try:
        return base64.b64decode(_without_line_breaks(encoded[key]), validate=True)
    except (TypeError, ValueError, binascii.Error):
        # Not chained and not quoted: the error of the decoder may show what it could not decode.
        return Missing(Reason.INVALID_SECRET, f"{what}, key {key}, is not base64; plain text goes into stringData")


def _header_text(content: bytes, *, what: str) -> str | Missing:
    """The value without the line break that editors and `echo` leave at its end."""
    try:
        value = content.decode("ascii").rstrip("\r\n")
    except UnicodeDecodeError:
        return Missing(Reason.INVALID_SECRET, f"{what} holds bytes that are not ASCII, which no HTTP header carries")
    if not value.strip():
        return Missing(Reason.INVALID_SECRET, f"{what} is empty")
    if not value.isprintable():
        message = f"{what} holds control characters, such as a line break in its middle"
        return Missing(Reason.INVALID_SECRET, message)
    if len(value) > MAX_CREDENTIAL:
        message = f"{what} is longer than the {MAX_CREDENTIAL} characters that an HTTP header carries"
        return Missing(Reason.INVALID_SECRET, message)
    return value


def _without_line_breaks(encoded: Any) -> str:
    """YAML block scalars keep the line breaks that `base64` puts in."""
    if not isinstance(encoded, str):
        raise TypeError
    return "".join(encoded.split())


def _is_unicode(text: str) -> bool:
    """Whether it can be written at all: JSON allows lone surrogates, UTF-8 does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
