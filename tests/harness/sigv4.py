"""AWS Signature Version 4 as its documentation computes it: what a test compares with, and nothing of a library's."""

import hashlib
import hmac
from urllib.parse import quote

from harness.raw_upstream import Received

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
"""The secret key of all of AWS' published examples."""


def signature(canonical_request: str, *, date: str, region: str, service: str) -> str:
    """The signature of a request in its canonical form; `date` is in AWS' own form."""
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical_request.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in (date[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}"
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def is_signed(received: Received) -> bool:
    """Whether a request without a query, as it came over the wire, carries the signature that AWS would accept."""
    method, path, _ = received.line.split(" ")
    scheme, _, fields = received.headers["authorization"].partition(" ")
    given = dict(field.strip().split("=", 1) for field in fields.split(","))
    _, _, region, service, _ = given["Credential"].split("/")
    names = given["SignedHeaders"].split(";")
    lines = [f"{name}:{received.headers[name]}" for name in names]
    canonical = "\n".join(
        [method, quote(path, safe="/~"), "", *lines, "", ";".join(names), hashlib.sha256(received.body).hexdigest()]
    )
    expected = signature(canonical, date=received.headers["x-amz-date"], region=region, service=service)
    return scheme == "AWS4-HMAC-SHA256" and given["Signature"] == expected
