"""Which JSON Schemas arguments can be checked by."""

from typing import Any

import pytest

from understudy_api.config.schemas import BadSchema, validator_of


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        pytest.param({"type": "object", "required": ["a"]}, {"a": 1}, {}, id="of today"),
        pytest.param(
            {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"exclusiveMaximum": 3}}},
            {"a": 2}, {"a": 3}, id="of draft 7, as many tools come with",
        ),
        pytest.param(
            {"$defs": {"tag": {"type": "string"}}, "additionalProperties": {"$ref": "#/$defs/tag"}},
            {"a": "x"}, {"a": 1}, id="that refers to itself",
        ),
        pytest.param({"properties": {"a": {"pattern": "^(?!x)"}}}, {"a": "y"}, {"a": "x"}, id="with a look ahead"),
        pytest.param({"x-order": 1, "properties": {"a": {"const": 1}}}, {"a": 1}, {"a": 2}, id="with unknown words"),
    ],
)  # fmt: skip
def test_good(schema: dict[str, Any], good: object, bad: object) -> None:
    """What a schema means is what JSON Schema says."""
    validator = validator_of(schema)
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)


@pytest.mark.parametrize(
    ("schema", "path", "why"),
    [
        pytest.param({"type": "objekt"}, ("type",), "objekt", id="type"),
        pytest.param({"properties": {"a": {"minimum": "1"}}}, ("properties", "a", "minimum"), "not of type", id="deep"),
        pytest.param({"pattern": "("}, ("pattern",), "regex", id="pattern"),
        pytest.param({"$ref": "#/$defs/none"}, (), "/$defs/none", id="a part that is not there"),
        pytest.param({"$ref": "http://127.0.0.1:1/s"}, (), "it refers to http://127.0.0.1:1/s", id="a web server"),
        pytest.param({"$ref": "file:///etc/passwd"}, (), "it refers to file:///etc/passwd", id="a file"),
        pytest.param({"$schema": "http://127.0.0.1:1/s"}, (), "http://127.0.0.1:1/s", id="a draft of one's own"),
        pytest.param({"$schema": 3}, ("$schema",), "", id="no draft"),
    ],
)
def test_bad(schema: dict[str, Any], path: tuple[str, ...], why: str) -> None:
    """Said with the place; nothing is fetched from anywhere."""
    with pytest.raises(BadSchema) as bad:
        validator_of(schema)
    assert path == bad.value.path
    assert why in str(bad.value)


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}])
def test_a_schema_that_is_itself(schema: dict[str, Any]) -> None:
    """Endless in itself, it ends all the same."""
    assert validator_of(schema).is_valid({})
