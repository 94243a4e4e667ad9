"""The shared secret of the internal doors: several are valid at once, so that one can be replaced without a gap."""

import hmac
import re

from understudy_proxy.doors.door import Refused, Request

HEADER = "x-internal-secret"
_SEPARATORS = re.compile(r"[,\r\n]+")


def secrets_in(setting: str) -> tuple[str, ...]:
    """The secrets of a setting, between commas or line breaks."""
    return tuple(secret.strip() for secret in _SEPARATORS.split(setting) if secret.strip())


class SharedSecret:
    """Knows who may come in."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        """Let in whoever has one of `secrets`; without any, nobody."""
        self._secrets = tuple(_bytes(secret) for secret in secrets)

    def check(self, request: Request) -> None:
        """Let `request` in.

        Raises:
            Refused: it has no secret, or none of these.
        """
        given = _bytes(request.headers.get(HEADER, ""))
        # Each is compared, and in full: how long that takes tells nothing of which one was nearly right.
        matches = [hmac.compare_digest(given, secret) for secret in self._secrets]
        if not any(matches):
            raise _refused(closed=not matches, given=bool(given))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _refused(*, closed: bool, given: bool) -> Refused:
    if closed:
        message = "The internal doors are closed: the gateway has no secret for them (UNDERSTUDY_INTERNAL_SECRET)."
    elif given:
        message = "The secret in X-Internal-Secret is not valid."
    else:
        message = "Send the shared secret in X-Internal-Secret."
    return Refused(401, message, type="authentication_error", code="invalid_internal_secret", reason="unauthorized")
