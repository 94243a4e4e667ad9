"""The tools that the chart installs, as the operator reads them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.compiling import inputs_of
from understudy_operator.compile import compile_objects

FILES = sorted((Path(__file__).parents[3] / "charts/understudy/files/tools").glob("*.yaml"))
FIELDS = {"type", "description", "default", "enum", "items", "additionalProperties", "uniqueItems"}
FIELDS |= {"minLength", "maxLength", "minimum", "maximum"}


def tool_in(path: Path) -> dict[str, Any]:
    """The object of a file, with a handler as the chart adds one."""
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    found["spec"]["handler"] = {"http": {"serviceRef": {"name": "tools", "port": 80}}}
    return found


def test_the_five() -> None:
    """Their function names are the ones that apps and models know."""
    compiled = compile_objects(inputs_of([tool_in(path) for path in FILES]))
    functions = {tool.function for tool in compiled.config.tools.values()}
    assert {"semantic_search", "get_chunk", "analyze_architecture", "review_code", "generate_docs"} == functions


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_to_say(path: Path) -> None:
    """The operator accepts each without a finding, and nothing of its schema is misspelled."""
    given = tool_in(path)
    (verdict,) = compile_objects(inputs_of([given])).verdicts
    assert (True, ()) == (verdict.serving, verdict.findings)
    assert given["metadata"]["name"] == path.stem
    for argument in given["spec"]["parameters"]["properties"].values():
        assert {"type", "description"} <= argument.keys() <= FIELDS
