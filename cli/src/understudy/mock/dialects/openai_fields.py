"""Reading the fields of OpenAI's request bodies, with refusals in OpenAI's words.

An explicit null means the same as an absent field, everywhere.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from understudy.mock.failures import bad_request

T = TypeVar("T", str, bool, list[Any], dict[str, Any])

# https://platform.openai.com/docs/api-reference/chat/create
_MOST_STOPS = 4


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


def stops(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts of `stop`, which may be one or several."""
    stop = body.get("stop")
    many = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(many, list) or not all(isinstance(one, str) for one in many) or len(many) > _MOST_STOPS:
        raise bad_request(f"'stop' has to be a string or an array of up to {_MOST_STOPS} strings.", param="stop")
    return tuple(many)


def texts_or_tokens(body: Mapping[str, Any], name: str) -> list[str | list[int]]:
    """Return a field that is a text, the numbers of a text's tokens, or an array of either."""
    given = body.get(name)
    # A list of numbers is one text that is tokens already.
    many: list[Any] = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    if not all(isinstance(one, str) or _is_tokens(one) for one in many):
        raise bad_request(f"'{name}' has to be a string, an array of strings, or arrays of token numbers.", param=name)
    return many


def as_text(one: str | list[int]) -> str:
    """Return a text as it is, and tokens as their numbers."""
    return one if isinstance(one, str) else " ".join(map(str, one))


def _is_tokens(one: Any) -> bool:
    return isinstance(one, list) and bool(one) and all(isinstance(token, int) for token in one)
