"""What is wrong with arguments is told where that takes no time to speak of."""

from typing import Any

import pytest

from understudy_proxy.tools.explaining import is_affordable

TREE = {"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}, "$ref": "#/$defs/node"}
TWICE: dict[str, Any] = {"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["x"]} for _ in range(2)]}
FAN = {
    "$defs": {
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"} for _ in range(2)]} for n in range(20)},
        "d20": {"required": ["x"]},
    },
    "$ref": "#/$defs/d0",
}


def nested(levels: int, name: str = "a") -> dict[str, Any]:
    """An object in an object in an object."""
    made: dict[str, Any] = {}
    for _ in range(levels):
        made = {name: made}
    return made


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        pytest.param({"properties": {"a": {"type": "string"}}, "required": ["b"]}, {"a": 1}, id="the usual"),
        pytest.param({"properties": {"tags": {"items": {"type": "string"}}}}, {"tags": [1] * 1000}, id="a list"),
        pytest.param(TREE, nested(100, "next"), id="as deep as they are"),
        pytest.param(TWICE, nested(5), id="twice, five levels"),
        pytest.param({"type": "object", "properties": [], "items": 3, "allOf": True}, {"a": 1}, id="nonsense"),
    ],
)
def test_affordable(schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    """What people and models get wrong day by day."""
    assert is_affordable(schema, arguments)


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        pytest.param(TWICE, nested(18), id="twice in each level"),
        pytest.param(FAN, {}, id="twice in each definition"),
        pytest.param({"$ref": "#"}, {}, id="a circle"),
        pytest.param({"properties": {"a": {"$anchor": "x"}}, "$ref": "#x"}, {}, id="an anchor, which may be one"),
        pytest.param({"additionalProperties": {"type": "string"}}, dict.fromkeys(map(str, range(5000)), 1), id="many"),
        pytest.param({"anyOf": [{"type": "integer"}] * 100}, {"a": "x" * 100_000}, id="long, and often"),
        pytest.param(
            {"patternProperties": {f"^{n}": {} for n in range(5000)}},
            {f"a{n}": n for n in range(50_000)},
            id="by patterns of names",
        ),
    ],
)
def test_not_affordable(schema: dict[str, Any], arguments: dict[str, Any]) -> None:
    """What somebody has thought up; it ends soon here, too."""
    assert not is_affordable(schema, arguments)
