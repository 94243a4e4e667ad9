"""Who asks Bedrock: the key of a request that is signed with SigV4, or that brings a Bedrock API key.

A signature is not checked, for a mock knows no secret; that it is made for this service, is.
"""

import re
from collections.abc import Mapping

from understudy.mock.dialects.dialect import bearer
from understudy.mock.failures import Failure, FailureKind, RefusedError

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<date>[0-9]{8})/(?P<region>[a-z0-9-]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;-]+), *Signature=[0-9a-f]{64}"
)
_DATE = "x-amz-date"
_HAVE_TO_BE_SIGNED = ("host", _DATE)


def access_key(headers: Mapping[str, str]) -> str | None:
    """Return the API key or the id of the access key; None if there is neither."""
    signed = _SIGNED.fullmatch(headers.get("authorization", ""))
    return signed["key"] if signed else bearer(headers)


def check_scope(headers: Mapping[str, str]) -> None:
    """Refuse a signature that cannot be meant for this request, whoever made it.

    Raises:
        RefusedError: With the words of AWS, which say what is wrong with the signature.
    """
    given = headers.get("authorization", "")
    if not given.startswith("AWS4-"):
        return
    signed = _SIGNED.fullmatch(given)
    if signed is None:
        raise _refused("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.")
    if signed["service"] != "bedrock":
        raise _refused("Credential should be scoped to correct service: 'bedrock'.")
    if not headers.get(_DATE, "").startswith(signed["date"]):
        raise _refused(f"Date in Credential scope does not match the header '{_DATE}'.")
    named = signed["headers"].split(";")
    token = ["x-amz-security-token"] if "x-amz-security-token" in headers else []
    missing = [name for name in (*_HAVE_TO_BE_SIGNED, *token) if name not in named]
    if missing:
        raise _refused(f"The headers {', '.join(missing)} have to be signed.")
    if named != sorted(named):
        raise _refused("'SignedHeaders' have to be sorted.")


def _refused(message: str) -> RefusedError:
    return RefusedError(Failure(FailureKind.FORBIDDEN, 403, message, code="InvalidSignatureException"))
