"""Maps out of a foreign file, read field by field: wrong values have a place, and fields nobody read are known."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from understudy.manifests.files import Position
from understudy.manifests.values import Place

Path = tuple[str | int, ...]


class Unusable(Exception):
    """A value that cannot be used: where it is, which field it is, and what to do."""

    def __init__(self, position: Position, field: str, message: str) -> None:
        super().__init__(f"{position}: error: {field}: {message}" if field else f"{position}: error: {message}")


class Part:
    """A map in a file, and which of its fields have been read."""

    def __init__(self, file: str, place: Place, value: dict[str, Any], path: Path = ()) -> None:
        """The map at `path` of a file."""
        self.file = file
        self.value = value
        self.path = path
        self._place = place
        self._read: set[str] = set()

    def has(self, *names: str) -> bool:
        """Whether any of these fields is there and says something."""
        return any(self.value.get(name) is not None for name in names)

    def text(self, *names: str) -> str:
        """The first of these fields that is there; "" where none is."""
        name, value = self._first(names)
        if isinstance(value, bool | dict | list):
            raise self.wrong(name, "must be text")
        return "" if value is None else str(value).strip()

    def required(self, *names: str) -> str:
        """The same, where there must be one."""
        if text := self.text(*names):
            return text
        raise self.wrong(names[0], "is required")

    def number(self, *names: str) -> Decimal | None:
        """A number that is not negative; also one in quotes."""
        name, value = self._first(names)
        if value is None:
            return None
        try:
            number = Decimal(str(value).replace("_", ""))
        except ArithmeticError:
            raise self.wrong(name, "must be a number") from None
        if isinstance(value, bool | dict | list) or not number.is_finite() or number < 0:
            raise self.wrong(name, "must be a number, 0 or more")
        return number

    def count(self, *names: str) -> int | None:
        """A whole number from 1 on; 0 says nothing."""
        number = self.number(*names)
        return int(number) or None if number is not None else None

    def truth(self, name: str, *, usual: bool) -> bool:
        """Yes or no."""
        value = self._first((name,))[1]
        if value is None:
            return usual
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def texts(self, *names: str) -> list[str]:
        """A list of texts; one text is a list of one, and of a map it is what is true in it."""
        name, value = self._first(names)
        match value:
            case None | False:
                return []
            case str():
                return [value]
            case dict():
                return [str(key) for key, said in value.items() if said]
            case list() if all(isinstance(each, str) for each in value):
                return list(value)
        raise self.wrong(name, "must be a list of texts")

    def flags(self) -> dict[str, bool]:
        """The fields that say yes or no. Whoever uses one reads it."""
        return {name: value for name, value in self.value.items() if isinstance(value, bool)}

    def items(self, *names: str) -> list[Any]:
        """A list of whatever; empty where there is none."""
        name, value = self._first(names)
        if not isinstance(value, list | None):
            raise self.wrong(name, "must be a list")
        return value or []

    def ignore(self, *names: str) -> None:
        """Fields that mean nothing here, and are not worth a word."""
        self._read.update(names)

    def any(self, *names: str) -> Any:
        """Whatever is there."""
        return self._first(names)[1]

    def part(self, name: str) -> "Part":
        """The map in a field; an empty one where there is none."""
        value = self._first((name,))[1]
        if not isinstance(value, dict | None):
            raise self.wrong(name, "must be a map")
        return self.inner((name,), value or {})

    def named(self, name: str, *, key: str = "name") -> list[tuple[str, "Part"]]:
        """Entries by name: a map of maps, or a list whose maps (or texts) say their name."""
        value = self._first((name,))[1]
        match value:
            case None:
                return []
            case dict():
                return [(str(each), self._entry((name, each), said)) for each, said in value.items()]
            case list():
                return [self._listed((name, index), said, key) for index, said in enumerate(value)]
        raise self.wrong(name, "must be a map or a list")

    def inner(self, steps: Path, value: dict[str, Any]) -> "Part":
        """A map further in."""
        return Part(self.file, self._place, value, (*self.path, *steps))

    def left(self) -> Iterator[str]:
        """The paths of the fields that nobody has read."""
        return (self._name(name) for name, value in self.value.items() if name not in self._read and value is not None)

    def wrong(self, name: str, message: str) -> Unusable:
        """The error for one of its fields; "" is the map itself."""
        path = (*self.path, name) if name else self.path
        place = self._place.find(path)
        return Unusable(Position(self.file, place.line, place.column), self._name(name), message)

    def _first(self, names: tuple[str, ...]) -> tuple[str, Any]:
        self._read.update(names)
        return next(((name, self.value[name]) for name in names if self.value.get(name) is not None), (names[0], None))

    def _entry(self, steps: Path, said: Any) -> "Part":
        if not isinstance(said, dict | None):
            raise self.inner(steps, {}).wrong("", "must be a map")
        return self.inner(steps, said or {})

    def _listed(self, steps: Path, said: Any, key: str) -> tuple[str, "Part"]:
        if isinstance(said, str):
            return said, self.inner(steps, {})
        part = self._entry(steps, said)
        return part.required(key), part

    def _name(self, name: str) -> str:
        text = ""
        for step in (*self.path, name) if name else self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
        return text
