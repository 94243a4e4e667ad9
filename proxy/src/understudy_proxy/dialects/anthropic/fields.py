"""Values of a client's JSON, each checked once, and what is wrong with them in this vendor's words and paths."""

from typing import Any

from understudy_proxy.dialects.request_error import RequestError

_KINDS = {
    str: "string",
    dict: "dictionary",
    list: "list",
    bool: "boolean",
    int: "integer",
}


def wrong(path: str, why: str) -> RequestError:
    """The field at `path` is wrong; `why` is a phrase of the vendor's."""
    return RequestError(f"{path}: {why}", param=path)


def required(fields: dict[str, Any], name: str, kind: type, *, at: str = "") -> Any:
    """The field `name`, of type `kind`; `at` is the path of the object with a trailing dot."""
    value = optional(fields, name, kind, at=at)
    if value is None:
        raise wrong(f"{at}{name}", "Field required")
    return value


def optional(fields: dict[str, Any], name: str, kind: type, *, at: str = "") -> Any:
    """The field `name`, of type `kind`; null is as good as nothing."""
    value = fields.get(name)
    if value is not None and type(value) is not kind:
        raise wrong(f"{at}{name}", f"Input should be a valid {_KINDS[kind]}")
    return value


def number(fields: dict[str, Any], name: str, *, at: str = "") -> float | None:
    """The field `name`, with or without a fraction."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) not in {int, float}:
        raise wrong(f"{at}{name}", "Input should be a valid number")
    return float(value)


def objects(fields: dict[str, Any], name: str, *, at: str = "") -> list[dict[str, Any]]:
    """A list of objects; empty where there is none."""
    values: list[dict[str, Any]] = optional(fields, name, list, at=at) or []
    for place, value in enumerate(values):
        if type(value) is not dict:
            raise wrong(f"{at}{name}.{place}", "Input should be a valid dictionary")
    return values


def strings(fields: dict[str, Any], name: str, *, at: str = "") -> tuple[str, ...]:
    """A list of strings; empty where there is none."""
    values = optional(fields, name, list, at=at) or []
    for place, value in enumerate(values):
        if type(value) is not str:
            raise wrong(f"{at}{name}.{place}", "Input should be a valid string")
    return tuple(values)
