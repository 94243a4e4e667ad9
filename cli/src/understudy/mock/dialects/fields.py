"""Reading the fields of a JSON object, with refusals that name the field by its path.

The wording is Anthropic's (`messages.0.role: Field required`). An explicit null is an absent field.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from understudy.mock.failures import RefusedError, bad_request

T = TypeVar("T", str, bool, int, list[Any], dict[str, Any])

_NAMES: dict[type, str] = {
    str: "a valid string",
    bool: "a valid boolean",
    int: "a valid integer",
    list: "a valid list",
    dict: "a valid dictionary",
}


def as_object(content: Any, *, at: str = "body") -> dict[str, Any]:
    """Return `content` if it is an object.

    Raises:
        RefusedError: If it is not.
    """
    if not isinstance(content, dict):
        raise wrong(at, "Input should be a valid dictionary")
    return content


def optional(body: Mapping[str, Any], name: str, kind: type[T], *, at: str = "") -> T | None:
    """Return a field, or None if it is absent.

    Raises:
        RefusedError: If it is of another type than `kind`.
    """
    value = body.get(name)
    if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise wrong(f"{at}{name}", f"Input should be {_NAMES[kind]}")
    return value


def required(body: Mapping[str, Any], name: str, kind: type[T], *, at: str = "") -> T:
    """Return a field that has to be there.

    Raises:
        RefusedError: If it is absent, or of another type than `kind`.
    """
    value = optional(body, name, kind, at=at)
    if value is None:
        raise wrong(f"{at}{name}", "Field required")
    return value


def within(body: Mapping[str, Any], name: str, *, least: float, most: float, at: str = "") -> float | None:
    """Return a number between two bounds, or None if it is absent.

    Raises:
        RefusedError: If it is no number, or out of bounds.
    """
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(f"{at}{name}", f"Input should be a number from {least:g} to {most:g}")
    return value


def objects(body: Mapping[str, Any], name: str, *, at: str = "") -> list[dict[str, Any]]:
    """Return a list of objects; an absent one is empty.

    Raises:
        RefusedError: If it is no list, or holds something else.
    """
    many = optional(body, name, list, at=at) or []
    return [as_object(one, at=f"{at}{name}.{place}") for place, one in enumerate(many)]


def texts(body: Mapping[str, Any], name: str, *, at: str = "") -> tuple[str, ...]:
    """Return a list of strings; an absent one is empty.

    Raises:
        RefusedError: If it is no list, or holds something else.
    """
    many = optional(body, name, list, at=at) or []
    for place, one in enumerate(many):
        if not isinstance(one, str):
            raise wrong(f"{at}{name}.{place}", f"Input should be {_NAMES[str]}")
    return tuple(many)


def only(body: Mapping[str, Any], known: Collection[str], *, at: str = "") -> None:
    """Refuse a field that is not known, whatever its value.

    Raises:
        RefusedError: With the name of the first that is not.
    """
    for name in body:
        if name not in known:
            raise wrong(f"{at}{name}", "Extra inputs are not permitted")


def wrong(at: str, why: str) -> RefusedError:
    """The refusal of the field at a path."""
    return bad_request(f"{at}: {why}", param=at)
