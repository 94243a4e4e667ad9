"""Each rule of compile as a pair of files: objects in, configuration and verdicts out."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.compiling import inputs_of, shown
from understudy_operator.compile import compile_objects

TESTDATA = Path(__file__).parent / "testdata"
CASES = sorted(path.name.removesuffix(".in.yaml") for path in TESTDATA.glob("*.in.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, request: pytest.FixtureRequest) -> None:
    """Those objects give exactly this configuration and these verdicts."""
    documents = list(yaml.safe_load_all((TESTDATA / f"{case}.in.yaml").read_text()))
    actual = shown(compile_objects(inputs_of(documents)))
    golden = TESTDATA / f"{case}.out.yaml"
    if request.config.getoption("--update-goldens", default=False):
        golden.write_text(_written(actual))
    assert yaml.safe_load(golden.read_text()) == actual


@pytest.mark.parametrize("case", [case for case in CASES if case != "duplicates"])
def test_golden_backwards(case: str) -> None:
    """The last object first gives the same; only of an object that is given twice the first one counts."""
    documents = list(yaml.safe_load_all((TESTDATA / f"{case}.in.yaml").read_text()))
    assert compile_objects(inputs_of(documents[::-1])) == compile_objects(inputs_of(documents))


def test_every_golden_has_its_input() -> None:
    """No expectation outlives its case."""
    outputs = sorted(path.name.removesuffix(".out.yaml") for path in TESTDATA.glob("*.out.yaml"))
    assert outputs == CASES


class _Readable(yaml.SafeDumper):
    """Writes text of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def _written(actual: dict[str, Any]) -> str:
    return yaml.dump(actual, Dumper=_Readable, sort_keys=False, width=116, allow_unicode=True)
