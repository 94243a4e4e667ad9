"""What proves an identity to a test's API server: bearer tokens and the key that signs ServiceAccount tokens."""

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """A user whom the API server knows by a bearer token."""

    name: str
    groups: tuple[str, ...] = ()
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)


def admin() -> User:
    """A user who may do everything, whatever RBAC says."""
    return User(ADMIN, ("system:masters",))


def token_file(users: Iterable[User]) -> str:
    """The content of ``--token-auth-file``: a line ``token,user,uid,"group,group"`` each."""
    return "".join(f'{user.token},{user.name},{user.name},"{",".join(user.groups)}"\n' for user in users)


def service_account_key() -> str:
    """A new P-256 private key in PEM, as RFC 5915 has it.

    The public half is optional there, and Kubernetes derives it, so that the key is 31 random bytes in a frame
    (31 and not 32: surely smaller than the order of the curve's group).
    """
    frame = bytes.fromhex("30310201010420"), bytes.fromhex("a00a06082a8648ce3d030107")
    body = base64.b64encode(frame[0] + b"\0" + secrets.token_bytes(31) + frame[1]).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{body[:64]}\n{body[64:]}\n-----END EC PRIVATE KEY-----\n"
