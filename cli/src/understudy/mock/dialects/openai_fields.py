"""Reading the fields of OpenAI's request bodies, with refusals in OpenAI's words.

An explicit null means the same as an absent field, everywhere.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from understudy.mock.failures import bad_request

T = TypeVar("T", str, bool, list[Any], dict[str, Any])


def as_object(content: Any) -> dict[str, Any]:
    """Return a body that is an object; refused if it is none."""
    if not isinstance(content, dict):
        raise bad_request("We could not parse the JSON body of your request: it has to be a JSON object.")
    return content


def named_model(body: Mapping[str, Any]) -> str:
    """Return the model that a body has to name."""
    model = field(body, "model", str)
    if not model:
        raise bad_request("You must provide a model parameter.", param="model")
    return model


def field(body: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    """Return a field, or None if it is absent; refused if it is of another type than `kind`."""
    value = body.get(name)
    if value is not None and not isinstance(value, kind):
        wanted = {str: "a string", bool: "a boolean", list: "an array", dict: "an object"}[kind]
        raise bad_request(f"Invalid type for '{name}': expected {wanted}.", param=name)
    return value


def number(body: Mapping[str, Any], name: str, *, least: int, most: int | None = None) -> int | None:
    """Return a whole number within bounds, or None if it is absent."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most is not None and value > most):
        bound = f"from {least} up" if most is None else f"from {least} to {most}"
        raise bad_request(f"Invalid value for '{name}': expected an integer {bound}.", param=name)
    return value
