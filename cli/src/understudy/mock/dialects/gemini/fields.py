"""Protobuf messages in JSON: how Google's servers read a request body.

A field may be written in camelCase or snake_case, null is the same as absent, and a name that the message does not
have is refused, as are values of a wrong type. What the fields mean is in `requests`.
"""

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.mock.failures import RefusedError, bad_request

_WORD = re.compile(r"(?<=[a-z0-9])([A-Z])")
_INT32 = 2**31
# A value in an error is quoted so far.
_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Fields:
    """One message of a request: its fields by their snake_case names, and where in the body it is."""

    values: Mapping[str, Any]
    path: str

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return name in self.values

    def at(self, name: str) -> str:
        """Return where the field is, as Google's errors name it."""
        return f"{self.path}.{name}" if self.path else name

    def message(self, name: str, names: frozenset[str]) -> "Fields":
        """Return a field that is a message with the fields `names`; one without fields if it is absent."""
        return fields(self.values.get(name, {}), at=self.at(name), names=names)

    def messages(self, name: str, names: frozenset[str]) -> list["Fields"]:
        """Return a field that is a list of messages."""
        listed = enumerate(self.listed(name))
        return [fields(one, at=f"{self.at(name)}[{place}]", names=names) for place, one in listed]

    def listed(self, name: str) -> list[Any]:
        """Return a repeated field; empty if it is absent."""
        value = self.values.get(name, [])
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def struct(self, name: str) -> dict[str, Any] | None:
        """Return a field that is any JSON object (`google.protobuf.Struct`)."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(name, "TYPE_STRUCT")
        return value

    def text(self, name: str) -> str | None:
        """Return a string field."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "TYPE_STRING")
        return value

    def texts(self, name: str) -> list[str]:
        """Return a repeated string field."""
        listed = self.listed(name)
        if not all(isinstance(one, str) for one in listed):
            raise self._wrong(name, "TYPE_STRING")
        return listed

    def flag(self, name: str) -> bool | None:
        """Return a boolean field."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "TYPE_BOOL")
        return value

    def integer(self, name: str, *, least: int = -_INT32, most: int = _INT32 - 1) -> int | None:
        """Return an int32 field; protobuf also takes `"5"` and `5.0` for 5."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise self._wrong(name, "TYPE_INT32")
        if not least <= value <= most:
            raise bad_request(f"Invalid value at '{self.at(name)}': it must be from {least} to {most}, but was {value}")
        return int(value)

    def number(self, name: str, *, least: float, most: float) -> float | None:
        """Return a float field."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "TYPE_FLOAT")
        if not least <= value <= most:
            raise bad_request(f"Invalid value at '{self.at(name)}': it must be from {least} to {most}, but was {value}")
        return float(value)

    def data(self, name: str) -> bytes | None:
        """Return a bytes field: base64, of the usual or the URL-safe alphabet, padded or not."""
        value = self.text(name)
        if value is None:
            return None
        try:
            plain = value.replace("-", "+").replace("_", "/").rstrip("=")
            return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except BinasciiError as error:
            raise bad_request(f"Invalid value at '{self.at(name)}' (TYPE_BYTES), Base64 decoding failed") from error

    def _wrong(self, name: str, kind: str) -> RefusedError:
        quoted = repr(self.values[name])[:_LONGEST_QUOTE]
        return bad_request(f"Invalid value at '{self.at(name)}' ({kind}), {quoted}")


def names_of(words: str) -> frozenset[str]:
    """Return the names that a message's fields have, from one text."""
    return frozenset(words.split())


def fields(value: Any, *, at: str, names: frozenset[str]) -> Fields:
    """Read `value`, which is at `at` in the body, as a message that has the fields `names`."""
    if not isinstance(value, dict):
        where = f"Invalid value at '{at}'" if at else "Invalid JSON payload received"
        raise bad_request(f"{where}: a message has to be a JSON object.")
    known: dict[str, Any] = {}
    for key, given in value.items():
        name = _WORD.sub(r"_\1", key).lower()
        if name not in names:
            where = f" at '{at}'" if at else ""
            raise bad_request(f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.')
        if name in known:
            raise bad_request(f"Invalid JSON payload received. '{key}' is given twice, in camelCase and in snake_case.")
        if given is not None:
            known[name] = given
    return Fields(known, at)
