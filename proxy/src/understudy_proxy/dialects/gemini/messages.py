"""Objects of a client's request, in whichever of protobuf's two spellings their fields are.

Clients write camelCase and snake_case, some both in one body, and Google takes both. Only objects of the format are
read through this: what is the client's own, such as arguments and schemas, keeps its names.
"""

import re
from typing import Any

from understudy_proxy.dialects.fields import array, boolean, integer, mapping, missing, number, string, strings

_UNDERSCORE = re.compile(r"_+([a-z0-9])")


def camel(name: str) -> str:
    """A field's name in camelCase."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name) if "_" in name else name


def field_of(values: dict[str, Any], name: str) -> Any:
    """The field with a camelCase `name`, however it is spelled; None for null and nothing."""
    if (value := values.get(name)) is not None:
        return value
    return next((value for key, value in values.items() if "_" in key and camel(key) == name), None)


class Fields:
    """The fields of one object; null is as good as absent.

    Args:
        value: What should be the object.
        at: Its path in the request, for errors.
    """

    __slots__ = ("_read", "_values", "path")

    def __init__(self, value: Any, at: str = "") -> None:
        self.path = at
        """Where the object is."""
        self._values = {camel(name): one for name, one in mapping(value, at or "body").items() if one is not None}
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> Any:
        """The value of a field, unchecked."""
        self._read.add(name)
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        """A string."""
        value = self.raw(name)
        return None if value is None else string(value, self.at(name))

    def required(self, name: str) -> str:
        """A string that has to be there, and not empty."""
        value = self.text(name)
        if not value:
            raise missing(self.at(name))
        return value

    def whole(self, name: str) -> int | None:
        """An integer."""
        value = self.raw(name)
        return None if value is None else integer(value, self.at(name))

    def decimal(self, name: str) -> float | None:
        """A number."""
        value = self.raw(name)
        return None if value is None else number(value, self.at(name))

    def flag(self, name: str) -> bool | None:
        """A boolean."""
        value = self.raw(name)
        return None if value is None else boolean(value, self.at(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings, empty when there is none."""
        value = self.raw(name)
        return () if value is None else strings(value, self.at(name))

    def struct(self, name: str) -> dict[str, Any] | None:
        """An object of the client's own."""
        value = self.raw(name)
        return None if value is None else mapping(value, self.at(name))

    def message(self, name: str) -> "Fields | None":
        """An object of the format."""
        value = self.raw(name)
        return None if value is None else Fields(value, self.at(name))

    def messages(self, name: str) -> "list[Fields]":
        """A list of objects of the format; one that stands for itself is a list of one, as Google has it."""
        value = self.raw(name)
        if value is None:
            return []
        if isinstance(value, dict):
            return [Fields(value, self.at(name))]
        return [Fields(one, f"{self.at(name)}[{n}]") for n, one in enumerate(array(value, self.at(name)))]

    def unread(self) -> dict[str, Any]:
        """The fields that nobody asked for."""
        return {name: value for name, value in self._values.items() if name not in self._read}
