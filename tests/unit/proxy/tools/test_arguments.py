"""Arguments against a tool's JSON Schema."""

import subprocess
import sys
from typing import Any

import pytest

from harness.tools import tool, with_tools
from understudy_api.config import Config, Credentials, Snapshot
from understudy_proxy.config.build import build
from understudy_proxy.config.runtime import RuntimeTool
from understudy_proxy.tools.arguments import MAX_BYTES, Arguments, BadArguments

SCHEMA = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "minLength": 1},
        "limit": {"type": "integer", "minimum": 1, "maximum": 50},
        "order": {"enum": ["newest", "best"]},
        "filters": {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}},
    },
    "required": ["query"],
    "additionalProperties": False,
}
EMPTY = Snapshot(config=Config(), credentials=Credentials(revision="", values={}))


def taking(schema: dict[str, Any]) -> RuntimeTool:
    """A tool that takes these arguments."""
    runtime = build(with_tools(EMPTY, [tool("search", "http://h/", parameters=schema)]), now=0)
    return runtime.tools["default/search"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"query": "q"}, {"query": "q"}, id="object"),
        pytest.param('{"query": "q", "limit": 3}', {"query": "q", "limit": 3}, id="text, as models write it"),
    ],
)
def test_good(given: object, expected: dict[str, Any]) -> None:
    """What fits the schema goes on as an object."""
    assert expected == Arguments().checked(taking(SCHEMA), given)


@pytest.mark.parametrize("given", [None, "", "  ", {}, "{}"])
def test_none_at_all(given: object) -> None:
    """A function without arguments may be called without any."""
    assert {} == Arguments().checked(taking({"type": "object"}), given)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param({}, 'arguments: "query" is a required property', id="missing"),
        pytest.param({"query": 3}, 'query: 3 is not of type "string"', id="type"),
        pytest.param({"query": "q", "limit": 51}, "limit: 51 is greater than the maximum of 50", id="bound"),
        pytest.param({"query": "q", "order": "any"}, 'order: "any" is not one of "newest" or "best"', id="enum"),
        pytest.param(
            {"query": "q", "filters": {"tags": ["a", 2]}}, 'filters.tags[1]: 2 is not of type "string"', id="deep"
        ),
        pytest.param(
            {"query": "q", "qury": "q"},
            "arguments: Additional properties are not allowed ('qury' was unexpected)",
            id="unknown",
        ),
        pytest.param("{query", "arguments are not JSON: ", id="no JSON"),
        pytest.param('{"query": NaN}', "arguments are not JSON: ", id="no JSON number"),
        pytest.param("[1]", "arguments must be an object, by argument names", id="list"),
        pytest.param(7, "arguments must be an object, by argument names", id="number"),
        pytest.param('"' + "x" * MAX_BYTES + '"', f"arguments are longer than {MAX_BYTES} bytes", id="too long"),
        pytest.param("[" * 100_000, "arguments are not JSON: ", id="bottomless text"),
    ],
)
def test_bad(given: object, why: str) -> None:
    """The message says where, and what is wrong."""
    with pytest.raises(BadArguments) as bad:
        Arguments().checked(taking(SCHEMA), given)
    assert str(bad.value).startswith(why)


def test_several_problems() -> None:
    """All of them in one message, up to a bound: a model corrects them in one go."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in "abcdefgh"}}
    with pytest.raises(BadArguments) as bad:
        Arguments().checked(taking(schema), dict.fromkeys("abcdefgh", 1))
    assert 4 == str(bad.value).count("is not of type")


def test_a_message_quotes_no_more_than_it_must() -> None:
    """A value that is a novel, or a key, is not repeated as a whole."""
    with pytest.raises(BadArguments) as bad:
        Arguments().checked(taking(SCHEMA), {"query": ["word " * 10_000]})
    assert len(str(bad.value)) < 300
    with pytest.raises(BadArguments) as bad:
        Arguments().checked(taking(SCHEMA), {"query": "q", "order": "sk-proj-0123456789abcdef0123"})
    assert "0123456789" not in str(bad.value)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param('{"a": ' * 900 + "{}" + "}" * 900, id="too deep"),
        pytest.param({"a": "\ud800"}, id="no Unicode"),
        pytest.param({"a": {1, 2}}, id="no JSON"),
    ],
)
def test_what_no_tool_can_be_sent(given: object) -> None:
    """Arguments that fit the schema but no message."""
    with pytest.raises(BadArguments, match=r"^arguments cannot be (sent|checked)"):
        Arguments().checked(taking({"type": "object"}), given)


def test_a_pattern_that_backtracks_without_end() -> None:
    """A regular expression that takes exponential time on some texts takes next to none."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": r"^(?=(a+)+$)(a|b)+\1$"}}}
    with pytest.raises(BadArguments):
        Arguments().checked(taking(schema), {"a": "a" * 5000 + "!"})


def test_a_schema_that_doubles_with_each_level() -> None:
    """Arguments that would take hours to explain are refused at once, without an explanation."""
    twice = {"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["x"]} for _ in range(2)]}
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"a": deep}
    with pytest.raises(BadArguments, match="too large or deep to say where"):
        Arguments().checked(taking(twice), deep)


def test_a_gateway_without_tools() -> None:
    """It does not carry the library that checks arguments."""
    program = "import sys, understudy_proxy.tools.tools; print('jsonschema_rs' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "False" == ran.stdout.strip()


def test_a_schema_that_cannot_be_used() -> None:
    """A configuration that did not come from the operator may hold one: its tool is not called unchecked."""
    with pytest.raises(BadArguments, match=r"default/search are no JSON Schema"):
        Arguments().checked(taking({"type": "objekt"}), {})
