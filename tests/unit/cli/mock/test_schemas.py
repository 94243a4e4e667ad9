"""Values that meet a JSON schema."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.mock.schemas import example

NODE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
    "required": ["name", "children"],
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"type": "string"}, "text", id="string"),
        pytest.param({"type": "string", "minLength": 6}, "textxx", id="string at least so long"),
        pytest.param({"type": "string", "maxLength": 2}, "te", id="string at most so long"),
        pytest.param({"type": "string", "format": "date"}, "2026-01-01", id="date"),
        pytest.param({"type": "integer"}, 1, id="integer"),
        pytest.param({"type": "integer", "minimum": 5}, 5, id="integer with a minimum"),
        pytest.param({"type": "integer", "maximum": -3}, -3, id="integer with a maximum"),
        pytest.param({"type": "integer", "exclusiveMinimum": 9, "maximum": 10}, 10, id="integer in a narrow range"),
        pytest.param({"type": "integer", "minimum": 3, "maximum": 10, "multipleOf": 4}, 4, id="multiple in a range"),
        pytest.param({"type": "number", "minimum": 0.25, "maximum": 0.5}, 0.25, id="fraction"),
        pytest.param(
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5, id="fraction strictly between"
        ),
        pytest.param({"type": "boolean"}, True, id="boolean"),
        pytest.param({"type": "null"}, None, id="null"),
        pytest.param({"type": ["null", "string"]}, "text", id="nullable has a value"),
        pytest.param({"enum": ["celsius", "kelvin"]}, "celsius", id="enum"),
        pytest.param({"const": 7}, 7, id="const"),
        pytest.param({"type": "string", "default": "here"}, "here", id="default"),
        pytest.param({"type": "array", "items": {"type": "integer"}}, [1], id="array"),
        pytest.param(
            {"type": "array", "items": {"type": "null"}, "minItems": 2}, [None, None], id="array of at least two"
        ),
        pytest.param({"type": "array", "items": {"type": "null"}, "maxItems": 0}, [], id="array of none"),
        pytest.param(
            {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
            {"city": "city", "days": 1},
            id="object: strings say which property they are",
        ),
        pytest.param({"type": "object"}, {}, id="object without properties"),
        pytest.param({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1, id="first of several"),
        pytest.param(
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"type": "null"}}},
                    {"properties": {"b": {"type": "null"}}},
                ]
            },
            {"a": None, "b": None},
            id="all of several",
        ),
        pytest.param(
            {"properties": {"unit": {"$ref": "#/$defs/unit"}}, "$defs": {"unit": {"enum": ["m"]}}},
            {"unit": "m"},
            id="reference",
        ),
        pytest.param({"$ref": "#/$defs/missing"}, "text", id="reference to nowhere"),
        pytest.param({"$ref": "#"}, "text", id="reference to itself"),
    ],
)
def test_meets(schema: dict[str, Any], value: object) -> None:
    """The value is one that the schema allows, and the same every time."""
    assert value == example(schema)


def test_recursion_ends() -> None:
    """A schema that contains itself gives a value of finite depth that still has all it requires."""
    node = example({**NODE, "$defs": {"node": NODE}})
    while node["children"]:
        node = node["children"][0]
    assert node == {"name": "name", "children": []}


KEYWORDS = st.sampled_from(
    [
        "type",
        "properties",
        "required",
        "items",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "format",
        "minLength",
        "maxLength",
        "integer",
        "number",
        "object",
        "array",
        "string",
        "#",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | KEYWORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(KEYWORDS, JSON, max_size=6))
def test_any_schema_gives_json(schema: dict[str, Any]) -> None:
    """However broken a schema, there is a value, and it is JSON."""
    assert json.dumps(example(schema)) == json.dumps(example(schema))
