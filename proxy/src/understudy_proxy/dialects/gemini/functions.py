"""Names of functions: Gemini takes fewer characters than others, so some change on the way and change back.

https://ai.google.dev/api/caching#FunctionDeclaration
"""

import re
from collections.abc import Iterable

_MOST = 64
_ALIKE = 56
"""Characters of a name that are left whatever number is put behind it."""
_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_.:-]{{0,{_MOST - 1}}}")
_OTHER = re.compile(r"[^A-Za-z0-9_.:-]")


class FunctionNames:
    """The names of one request: given as Gemini takes them, and read back as the client knows them."""

    __slots__ = ("_alike", "_given", "_meant")

    def __init__(self, names: Iterable[str]) -> None:
        self._alike: dict[str, int] = {}
        self._given: dict[str, str] = {}
        self._meant: dict[str, str] = {}
        changing = []
        for name in names:
            if _NAME.fullmatch(name):
                self._given[name] = self._meant[name] = name
            else:
                changing.append(name)
        for name in changing:
            self._change(name)

    def given(self, name: str) -> str:
        """As Gemini gets it."""
        return self._given.get(name) or self._change(name)

    def meant(self, name: str) -> str:
        """What the client means by a name that Gemini said."""
        return self._meant.get(name, name)

    def _change(self, name: str) -> str:
        if name in self._given:
            return self._given[name]
        base = _OTHER.sub("_", name)
        if not _NAME.match(base):
            base = f"_{base}"
        changed = base[:_MOST]
        while changed in self._meant:
            # Counted on from the last one alike: many of them would take long otherwise.
            count = self._alike[base[:_ALIKE]] = self._alike.get(base[:_ALIKE], 1) + 1
            changed = f"{base[: _MOST - len(str(count)) - 1]}_{count}"
        self._given[name], self._meant[changed] = changed, name
        return changed
