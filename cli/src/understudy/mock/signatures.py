"""Marks by which a mock knows again what it has said: signatures of thoughts, as vendors give them.

No secret: whoever reads this can forge one. It is there to catch a gateway that loses or changes a thought.
"""

from base64 import b64encode
from hashlib import blake2b


def signature(vendor: str, text: str) -> str:
    """Return the mark of `text`: base64, the same for the same text, another one for another vendor."""
    return b64encode(
        b"mock" + blake2b(text.encode(errors="surrogatepass"), person=vendor.encode()[:16]).digest()
    ).decode()


def is_signed(vendor: str, text: str, mark: object) -> bool:
    """Whether `mark` is the one that `signature` gives for `text`."""
    return mark == signature(vendor, text)
