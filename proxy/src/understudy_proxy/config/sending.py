"""What is checked of everything that is going to be called, before it is: its URL, its headers, its credential."""

import re
from collections.abc import Mapping

from yarl import URL

from understudy_api.config import CredentialRef, Credentials

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNSENDABLE = re.compile(r"[^\t\x20-\x7e]")


class Unusable(Exception):
    """A provider or a tool that cannot be called; the message says why and what to do."""


def url_of(text: str, *, what: str) -> URL:
    """The URL that a configuration holds as `what`.

    Raises:
        Unusable: it is none.
    """
    try:
        url = URL(text)
    except ValueError as error:
        raise Unusable(f"its {what} is not a URL: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise Unusable(f"its {what} {text!r} is not http(s)://HOST...")
    return url


def sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The same headers.

    Raises:
        Unusable: one of them cannot be sent.
    """
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or _UNSENDABLE.search(value):
            raise Unusable(f"its header {name!r} cannot be sent: a name or value holds characters that HTTP forbids")
    return headers


def credential(ref: CredentialRef, credentials: Credentials) -> str:
    """The secret that a header is to carry.

    Raises:
        Unusable: there is none, or no header can carry it.
    """
    secret = secret_value(ref.name, credentials)
    if _UNSENDABLE.search(secret):
        raise Unusable(f"its credential {ref.name!r} holds line breaks or characters that a header cannot carry")
    return secret


def secret_value(name: str, credentials: Credentials) -> str:
    """A secret of any form.

    Raises:
        Unusable: there is none.
    """
    # A line break at the end is what `echo KEY | kubectl create secret --from-file` leaves there.
    secret = credentials.values.get(name, "").strip()
    if not secret:
        raise Unusable(f"its credential {name!r} came without a value: does the Secret have that key?")
    return secret


def visible(namespace: str, others: tuple[str, ...] | None) -> frozenset[str] | None:
    """The namespaces whose callers may use something in `namespace`; None means all."""
    return None if others is None else frozenset((namespace, *others))
