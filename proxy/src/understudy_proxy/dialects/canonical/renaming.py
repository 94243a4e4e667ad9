"""Names that a vendor takes, in the place of names that it does not.

Names of tools and ids of calls are the client's to choose, and each vendor has an alphabet and a length for them. What
a vendor would refuse goes out under another name, the same one in every turn of a conversation so that a cached prompt
stays cached, and comes back under its own.
"""

import re
from hashlib import sha256

_HASH_CHARACTERS = 8


class Renaming:
    """The names of one request.

    Args:
        allowed: one character that a name may consist of.
        longest: characters of the longest name.
    """

    __slots__ = ("_allowed", "_given", "_longest", "_own")

    def __init__(self, allowed: re.Pattern[str], longest: int) -> None:
        self._allowed = allowed
        self._longest = longest
        self._given: dict[str, str] = {}
        self._own: dict[str, str] = {}

    def given(self, name: str) -> str:
        """What the vendor gets for `name`: itself, wherever that is possible."""
        if name and len(name) <= self._longest and not self._allowed.sub("", name):
            return name
        known = self._given.get(name)
        if known is None:
            known = self._given[name] = self._made(name)
            self._own[known] = name
        return known

    def back(self, name: str) -> str:
        """The name that went out as `name`."""
        return self._own.get(name, name)

    def _made(self, name: str) -> str:
        # A hash tells apart what is equal but for characters that cannot be said.
        digest = sha256(name.encode(errors="surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
        said = "".join(one if self._allowed.fullmatch(one) else "_" for one in name[: self._longest])
        return f"{said[: self._longest - _HASH_CHARACTERS - 1]}_{digest}"
