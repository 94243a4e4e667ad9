"""Signatures of one vendor on their way through another vendor's client.

A client sends back what it got without looking into it. So what it gets says whose it is, unless it is its own
vendor's: that one stays as it was issued, since its bytes may also travel without being looked at.
"""

from understudy_proxy.dialects.canonical.content import Issuer, Signature

MARK = "understudy."
"""How a tagged signature begins; none that a vendor issues does: they are base64, which has no period."""
_ISSUERS = {issuer.value: issuer for issuer in Issuer}


def tagged(signature: Signature, *, own: Issuer) -> str:
    """`signature` as a client of the vendor `own` gets it."""
    return signature.value if signature.issuer is own else f"{MARK}{signature.issuer}.{signature.value}"


def untagged(text: str, *, own: Issuer) -> Signature:
    """What a client of the vendor `own` sent back."""
    if text.startswith(MARK):
        name, _, value = text.removeprefix(MARK).partition(".")
        issuer = _ISSUERS.get(name)
        if issuer is not None:
            return Signature(value, issuer)
    return Signature(text, own)
