"""Thought signatures: how Gemini knows its own reasoning again, and how others' travel through its clients.

`thoughtSignature` is base64 for clients that look at it, so a foreign signature is base64 of what names its issuer.
"""

from base64 import b64decode, b64encode

from understudy_proxy.dialects.canonical.content import Issuer, Signature, Thinking
from understudy_proxy.dialects.canonical.signatures import MARK, tagged, untagged

ESCAPE = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""Stands for the signature of a call that no Gemini model made: `skip_thought_signature_validator`.

https://ai.google.dev/gemini-api/docs/thought-signatures
"""
FOREIGN = b64encode(MARK.encode())[: len(MARK) // 3 * 4].decode()
"""How every foreign signature begins."""
_REDACTED = f"{MARK}redacted."


def signature_text(signature: Signature) -> str:
    """The `thoughtSignature` for a client."""
    text = tagged(signature, own=Issuer.GEMINI)
    return text if signature.issuer is Issuer.GEMINI else _encoded(text)


def redacted_text(data: str) -> str:
    """The `thoughtSignature` of reasoning that nobody but Anthropic's models can read."""
    return _encoded(_REDACTED + data)


def read_signature(text: str) -> Signature:
    """What a client sent back in a `thoughtSignature`."""
    return untagged(_decoded(text), own=Issuer.GEMINI)


def read_redacted(text: str) -> str | None:
    """The redacted reasoning that a client sent back in a `thoughtSignature`; None when it is none."""
    decoded = _decoded(text)
    return decoded.removeprefix(_REDACTED) if decoded.startswith(_REDACTED) else None


def thinking_of(text: str, mark: str | None) -> Thinking:
    """The reasoning that a client sent back."""
    if mark is None:
        return Thinking(text)
    redacted = read_redacted(mark)
    return Thinking(text, read_signature(mark)) if redacted is None else Thinking(redacted=redacted)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    """What a foreign mark says; one of Gemini's own stays as it is."""
    if not text.startswith(FOREIGN):
        return text
    try:
        # SDKs write it in the alphabet for URLs, and without padding.
        decoded = b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return text
    return decoded if decoded.startswith(MARK) else text
