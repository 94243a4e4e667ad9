"""From a raw object to a typed one, or to sentences about what is wrong with it.

Whoever reads these sentences wrote the YAML, so they name fields as YAML does and never show what pydantic calls
things. Values are quoted only where they must be one of a few words: people paste keys into the wrong field.

Left out: unknown fields (`unknown`), which a cluster ignores, and everything that takes a second object to know.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from understudy_api.v1alpha1.fields import Shape, field_path, fields_of, quoted
from understudy_api.v1alpha1.kinds import KINDS, AnyResource
from understudy_api.v1alpha1.meta import API_VERSION
from understudy_api.v1alpha1.patterns import MEANINGS

MAX_PROBLEMS = 32
"""Of one object: nobody reads more, and a status message has a limit."""

_LEAF = Shape()
_MAX_WORD = 256
"""Characters of a word that are compared: comparing takes time in the square of them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence about one field; "" is the whole object."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """An object that cannot be read, and why, in the order of its fields; never empty."""

    problems: tuple[Problem, ...]


def parse(raw: Mapping[str, Any]) -> AnyResource | Invalid:
    """Read an object of one of the four kinds. Never raises, whatever `raw` holds.

    Types are as strict as the API server's: "3" is no number. Like there, a null means that the field is not set, and
    unknown fields are ignored. `status` belongs to the operator, is not looked at, and is None in the result.
    """
    model, problem = _model_of(raw)
    if model is None:
        return Invalid((problem,))
    try:
        known = {key: value for key, value in raw.items() if key != "status"}
        text = json.dumps(_without_nulls(known, Shape(model=model)), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return Invalid((Problem("", f"is not JSON: {error}"),))
    try:
        return model.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        return Invalid(_problems(error))


def nearest(word: str, known: Iterable[Any]) -> str | None:
    """The known word that `word` was probably meant to be, whatever the case; one that it begins counts too."""
    by_lower = {str(each).lower(): str(each) for each in known}
    lower = word[:_MAX_WORD].lower()
    found = difflib.get_close_matches(lower, by_lower, n=1, cutoff=0.6)
    longer = [each for each in by_lower if len(lower) > 2 and each.startswith(lower)]
    if not found and len(longer) == 1:
        found = longer
    return by_lower[found[0]] if found else None


def _model_of(raw: Any) -> tuple[type[AnyResource] | None, Problem]:
    nothing = Problem("", "must be an object with apiVersion, kind, metadata and spec")
    if not isinstance(raw, Mapping):
        return None, nothing
    version, kind = raw.get("apiVersion"), raw.get("kind")
    if version != API_VERSION:
        said = f"{quoted(version)} is not known" if isinstance(version, str) else "is missing"
        return None, Problem("apiVersion", f"{said}: it must be {API_VERSION}")
    if not isinstance(kind, str):
        return None, Problem("kind", f"is missing: it must be {_one_of(tuple(KINDS))}")
    if kind not in KINDS:
        return None, Problem("kind", _not_one_of(kind, tuple(KINDS)))
    return KINDS[kind], nothing


def _without_nulls(value: Any, shape: Shape) -> Any:
    """The value without the nulls that the API server drops: those of fields that are no free-form content."""
    if shape.model is not None and isinstance(value, Mapping):
        fields = fields_of(shape.model)
        return {key: _without_nulls(item, fields.get(key, _LEAF)) for key, item in value.items() if item is not None}
    if shape.item is not None and isinstance(value, list):
        return [_without_nulls(item, shape.item) for item in value]
    return value


def _problems(error: ValidationError) -> tuple[Problem, ...]:
    details = error.errors(include_url=False)
    places = {detail["loc"] for detail in details}
    found = dict.fromkeys(problem for detail in details if not _echoes(detail, places) for problem in _say(detail))
    return tuple(found)[:MAX_PROBLEMS]


def _echoes(detail: ErrorDetails, places: set[tuple[int | str, ...]]) -> bool:
    """Whether a list is called too short only because its broken entries were not counted."""
    location = detail["loc"]
    return detail["type"] == "too_short" and any(location == place[: len(location)] != place for place in places)


def _say(detail: ErrorDetails) -> list[Problem]:
    location = detail["loc"]
    if detail["type"] == "invariant":
        return [Problem(field_path(location), message) for message in detail["ctx"]["messages"]]
    if location and location[-1] == "[key]":
        return [Problem(field_path(location[:-1]), f"is not a valid key: it {_sentence(detail)}")]
    return [Problem(field_path(location), _sentence(detail))]


def _sentence(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    write = _SENTENCES.get(detail["type"])
    return write(context, detail["input"]) if write else detail["msg"]


def _one_of(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _not_one_of(value: Any, words: tuple[str, ...]) -> str:
    said = quoted(value) if isinstance(value, str) else _type_name(value)
    hint = nearest(value, words) if isinstance(value, str) else None
    return f"{said} is not known: it must be {_one_of(words)}" + (f"; did you mean {hint}?" if hint else "")


def _type_name(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a map"}
    return next((name for type_, name in names.items() if isinstance(value, type_)), "null")


def _must_be(what: str) -> Callable[[Mapping[str, Any], Any], str]:
    return lambda _, value: f"must be {what}, not {_type_name(value)}"


def _whole(_: Mapping[str, Any], value: Any) -> str:
    return f"must be a whole number, not {value if isinstance(value, float) else _type_name(value)}"


def _words(context: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", "))


_SENTENCES: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    "json_invalid": lambda context, _: f"is not JSON: {context['error']}",
    "missing": lambda _c, _v: "is required",
    "enum": lambda context, value: _not_one_of(value, _words(context)),
    "literal_error": lambda context, value: _not_one_of(value, _words(context)),
    "string_type": _must_be("a string"),
    "int_type": _whole,
    "int_from_float": _whole,
    "float_type": _must_be("a number"),
    "bool_type": _must_be("true or false"),
    "tuple_type": _must_be("a list"),
    "dict_type": _must_be("a map"),
    "model_type": _must_be("a map of fields"),
    "string_too_short": lambda context, _: f"must have at least {_count(context['min_length'], 'character')}",
    "string_too_long": lambda context, _: f"must have at most {_count(context['max_length'], 'character')}",
    "too_short": lambda context, _: f"must have at least {_count(context['min_length'], 'entry')}",
    "too_long": lambda context, _: f"must have at most {_count(context['max_length'], 'entry')}",
    "greater_than_equal": lambda context, _: f"must be at least {context['ge']}",
    "less_than_equal": lambda context, _: f"must be at most {context['le']}",
    "string_pattern_mismatch": lambda context, _: f"must be {MEANINGS[context['pattern']]}",
}


def _count(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
