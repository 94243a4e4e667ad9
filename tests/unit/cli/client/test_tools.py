"""Python functions as tools: what a model is told of them, and what comes of its calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from understudy import ToolCall, tool
from understudy.client._tools import Bound, bound, failed, raised, told


class Unit(StrEnum):
    """A closed set."""

    C = "c"
    F = "f"


class Place(BaseModel):
    """A nested object."""

    title: str
    country: str = "FR"


def weather(city: str, unit: Unit = Unit.C, days: Annotated[int, Field(ge=1, le=7)] = 1) -> str:  # noqa: D417 - not all need be
    """The weather in a city.

    It is always fine.

    Args:
        city: Where, in
            plain words.
        unit (Unit): Celsius or not.

    Returns:
        A sentence.
    """
    return f"{city} {unit} {days}"


def visit(place: Place, *, by: Literal["train", "car"], tags: list[str] | None = None) -> Any:
    """Go there."""
    return {"title": place.title, "by": by, "tags": tags}


def test_the_schema_of_a_function() -> None:
    """Names, types, defaults and bounds from the signature; words from the docstring."""
    made = tool(weather)
    assert (made.name, made.description) == ("weather", "The weather in a city.\n\nIt is always fine.")
    parameters = json.loads(json.dumps(made.parameters))
    assert parameters["required"] == ["city"]
    assert parameters["additionalProperties"] is False
    assert parameters["properties"]["city"] == {"type": "string", "description": "Where, in plain words."}
    assert parameters["properties"]["days"] == {"type": "integer", "default": 1, "minimum": 1, "maximum": 7}
    assert parameters["properties"]["unit"]["description"] == "Celsius or not."
    assert parameters["$defs"]["Unit"]["enum"] == ["c", "f"]


def test_an_argument_may_have_any_name() -> None:
    """Titles that pydantic adds are left out; an argument or a field of that name is not."""

    def odd(title: str, _private: int, model_config: bool, place: Place) -> None:
        """Odd names."""

    properties = tool(odd).parameters["properties"]
    assert list(properties) == ["title", "_private", "model_config", "place"]
    assert properties["title"] == {"type": "string"}
    assert set(tool(odd).parameters["$defs"]["Place"]["properties"]) == {"title", "country"}
    arguments = {"title": "a", "_private": 1, "model_config": True, "place": {"title": "b"}}
    call = bound(ToolCall("1", "odd", json.dumps(arguments)), {"odd": tool(odd)})
    assert isinstance(call, Bound)
    assert call.arguments == {**arguments, "place": Place(title="b")}


def elsewhere(what: "NotHere") -> None:  # type: ignore[name-defined]  # noqa: F821 - that is the point
    """Its type was known only where it was made."""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        pytest.param(lambda x: x, "argument x needs an annotation", id="no annotation"),
        pytest.param(lambda *many: many, "argument many cannot be given by name", id="any number"),
        pytest.param(lambda **many: many, "argument many cannot be given by name", id="any name"),
        pytest.param(lambda: None, "<lambda>: models know functions by", id="a name for nobody"),
        pytest.param(elsewhere, "elsewhere: an annotation is of a type that", id="an unknown type"),
    ],
)
def test_what_cannot_be_a_tool_is_said(function: Callable[..., Any], said: str) -> None:
    """When it is made, not when a model calls it."""
    with pytest.raises(TypeError, match=said):
        tool(function)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        pytest.param("weather", '{"city": "Paris", "days": 9}', "days: Input should be less than", id="out of bounds"),
        pytest.param("weather", "{}", "city: Field required", id="missing"),
        pytest.param("weather", '{"city": "Paris", "town": 1}', "town: Extra inputs", id="unknown"),
        pytest.param("weather", '{"city":', "the arguments are not JSON", id="cut"),
        pytest.param("weather", "[1]", "must be a JSON object", id="a list"),
        pytest.param("wether", "{}", "there is no function wether; there are visit, weather", id="no such function"),
        pytest.param("visit", '{"place": {"country": "FR"}, "by": "car"}', "place.title: Field required", id="nested"),
    ],
)
def test_a_call_that_cannot_be_made_is_told_to_the_model(name: str, arguments: str, said: str) -> None:
    """In a sentence that it can act on."""
    tools = {each.__name__: tool(each) for each in (weather, visit)}
    answer = bound(ToolCall("1", name, arguments), tools)
    assert isinstance(answer, str)
    assert said in json.loads(answer)["error"]


def test_a_call_is_made_with_python_values() -> None:
    """Enums and models, not the JSON they were."""
    call = bound(ToolCall("1", "visit", '{"place": {"title": "Louvre"}, "by": "car"}'), {"visit": tool(visit)})
    assert isinstance(call, Bound)
    assert call.arguments == {"place": Place(title="Louvre"), "by": "car", "tags": None}
    assert told(call.function(**call.arguments)) == '{"title":"Louvre","by":"car","tags":null}'


@dataclass
class Sum:
    """A result of one's own."""

    amount: Decimal


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("as it is", "as it is", id="text"),
        pytest.param(None, "null", id="nothing"),
        pytest.param(Place(title="a"), '{"title":"a","country":"FR"}', id="a model"),
        pytest.param(Sum(Decimal("1.10")), '{"amount":"1.10"}', id="a dataclass"),
        pytest.param([{"é": {1}}], '[{"é":[1]}]', id="containers"),
        pytest.param(Fraction(1, 2), '"1/2"', id="anything"),
    ],
)
def test_what_a_model_is_told_of_a_result(value: Any, expected: str) -> None:
    """Texts as they are, all else as JSON."""
    assert told(value) == expected


def test_what_a_model_is_told_of_an_error() -> None:
    """Its type and its message, within bounds."""
    assert json.loads(raised(KeyError("x"))) == {"error": "KeyError: 'x'"}
    assert len(failed("x" * 10_000)) < 2_100
