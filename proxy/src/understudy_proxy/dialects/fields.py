"""Values of a client's JSON, each checked once, with the field's path in what is wrong with it.

A path is how OpenAI names a field: `messages[3].tool_call_id`. An explicit null is the business of whoever calls: an
optional field that is null is absent.
"""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.request_error import RequestError, Unsupported

_MAX_SHOWN = 60
_MOST_EXACT = 2**53
"""Beyond it a float stands for several integers."""


def missing(param: str) -> RequestError:
    """A field that must be there is not."""
    return RequestError(f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)


def wrong_type(param: str, expected: str, value: Any) -> RequestError:
    """A field is of another type than `expected`, which is put as `a string`."""
    return RequestError(
        f"Invalid type for '{param}': expected {expected}, but got {described(value)} instead.",
        code="invalid_type",
        param=param,
    )


def invalid(param: str, why: str) -> RequestError:
    """A field has the right type and a wrong value; `why` is a sentence."""
    return RequestError(f"Invalid value for '{param}': {why}", code="invalid_value", param=param)


def unknown(param: str, value: Any, known: str) -> Unsupported:
    """A word that is not among those `known` here: somebody who speaks the client's own dialect may know it."""
    return Unsupported(
        f"{shown(str(value))} for '{param}' can be put to no provider of another dialect: that takes {known}.",
        param=param,
    )


def described(value: Any) -> str:
    """The JSON type of a value, with an article."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "an integer"}
    return "null" if value is None else names.get(type(value), "a number")


def shown(text: str) -> str:
    """A client's own word, as it may be repeated in a message."""
    return repr(text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…")


def string(value: Any, param: str) -> str:
    """A string."""
    if type(value) is not str:
        raise missing(param) if value is None else wrong_type(param, "a string", value)
    return value


def integer(value: Any, param: str) -> int:
    """An integer; a number without a fraction is one, as long as nothing is lost."""
    if type(value) is float and value.is_integer() and abs(value) <= _MOST_EXACT:
        return int(value)
    if type(value) is not int:
        raise missing(param) if value is None else wrong_type(param, "an integer", value)
    return value


def number(value: Any, param: str) -> float:
    """A number, as it was written."""
    if type(value) is not float and type(value) is not int:
        raise missing(param) if value is None else wrong_type(param, "a number", value)
    return value


def boolean(value: Any, param: str) -> bool:
    """A boolean."""
    if type(value) is not bool:
        raise missing(param) if value is None else wrong_type(param, "a boolean", value)
    return value


def mapping(value: Any, param: str) -> dict[str, Any]:
    """An object."""
    if type(value) is not dict:
        raise missing(param) if value is None else wrong_type(param, "an object", value)
    return value


def array(value: Any, param: str, of: str = "objects") -> list[Any]:
    """An array; what is in it is not looked at."""
    if type(value) is not list:
        raise missing(param) if value is None else wrong_type(param, f"an array of {of}", value)
    return value


def strings(value: Any, param: str) -> tuple[str, ...]:
    """An array of strings."""
    return tuple(string(item, f"{param}[{index}]") for index, item in enumerate(array(value, param, "strings")))


def optional_string(fields: Mapping[str, Any], name: str, param: str) -> str | None:
    """The field `name` of the object at `param`, if it is there."""
    value = fields.get(name)
    return None if value is None else string(value, f"{param}.{name}" if param else name)


def optional_boolean(fields: Mapping[str, Any], name: str, param: str) -> bool | None:
    """As `optional_string`, of a boolean."""
    value = fields.get(name)
    return None if value is None else boolean(value, f"{param}.{name}" if param else name)


def optional_mapping(fields: Mapping[str, Any], name: str, param: str) -> dict[str, Any] | None:
    """As `optional_string`, of an object."""
    value = fields.get(name)
    return None if value is None else mapping(value, f"{param}.{name}" if param else name)
