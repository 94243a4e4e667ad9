"""`understudy lint`: folders in, what a person sees out."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from understudy.commands.lint import lint

TESTDATA = Path(__file__).parent / "testdata"
CASES = sorted(path.name for path in TESTDATA.iterdir() if path.is_dir())
SUCCEED = {"clean", "clouds", "discovery", "elsewhere"}


def _lint(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str | None = None) -> Result:
    monkeypatch.chdir(TESTDATA)
    return CliRunner(env={"GROQ_API_KEY": None}).invoke(lint, arguments, input=stdin)


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Those files give exactly these lines: place, severity, object, field, and what to do."""
    result = _lint(monkeypatch, "-f", case)
    golden = TESTDATA / f"{case}.txt"
    if request.config.getoption("--update-lint-goldens", default=False):
        golden.write_text(result.output)
    assert result.output == golden.read_text()
    assert result.exit_code == (0 if case in SUCCEED else 1)


def test_every_golden_has_its_files() -> None:
    """No expectation outlives its case."""
    assert sorted(path.stem for path in TESTDATA.glob("*.txt")) == CASES


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["-f", "clean"], 0, id="nothing found"),
        pytest.param(["-f", "elsewhere"], 0, id="warnings alone"),
        pytest.param(["-f", "elsewhere", "--strict"], 1, id="warnings with --strict"),
        pytest.param(["-f", "clean", "--strict"], 0, id="nothing found with --strict"),
        pytest.param(["-f", "misspelled"], 1, id="errors"),
        pytest.param(["clean", "-f", "misspelled"], 1, id="several paths"),
        pytest.param([], 2, id="no path"),
    ],
)
def test_exit_code(arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline fails where something would not be served."""
    assert _lint(monkeypatch, *arguments).exit_code == code


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs get every part of a finding by itself."""
    said = json.loads(_lint(monkeypatch, "-f", "misspelled", "-o", "json").output)
    assert (said["errors"], said["warnings"], said["objects"], said["files"], said["ignored"]) == (5, 0, 2, 2, 0)
    assert said["findings"][3] == {
        "file": "misspelled/route.json",
        "line": 7,
        "column": 73,
        "severity": "error",
        "reason": "UnknownField",
        "kind": "LLMRoute",
        "namespace": "default",
        "name": "chat",
        "field": "spec.rules[0].backends[0].weigth",
        "message": "is not a field of LLMRoute; did you mean weight?",
    }


def test_github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A workflow shows findings beside the lines, whatever characters are in a file's name."""
    odd = tmp_path / "100%,a:b.yaml"
    odd.write_text("a: 1\n")
    said = _lint(monkeypatch, "-f", str(odd), "-o", "github").output.splitlines()[0]
    place = f"{tmp_path}/100%25%2Ca%3Ab.yaml"
    assert said == f"::error file={place},line=1,col=1::is no Kubernetes object: it has no apiVersion and kind"


@pytest.mark.parametrize("output", ["text", "github"])
def test_sends_a_terminal_no_control_characters(output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file from somebody else cannot paint over the screen, nor write a line of its own."""
    name = r'"a\e[2J\n::error::b"'
    manifest = f"apiVersion: understudy.dev/v1alpha1\nkind: LLMRoute\nmetadata: {{name: {name}}}\nspec: {{rules: 1}}\n"
    lines = _lint(monkeypatch, "-f", "-", "-o", output, stdin=manifest).output.splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`helm template . | understudy lint -f -`."""
    result = _lint(monkeypatch, "-f", "-", stdin=(TESTDATA / "misspelled" / "provider.yaml").read_text())
    assert result.output.startswith("<stdin>:5:3: error: LLMProvider default/mock: metadata.lables: ")


def test_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects that name no namespace are in the one that is asked for."""
    result = _lint(monkeypatch, "-f", "misspelled", "-n", "team")
    assert "LLMRoute team/chat: " in result.output


def test_the_quickstart_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """What newcomers apply first has nothing to complain about."""
    quickstart = Path(__file__).parents[4] / "examples" / "quickstart"
    result = _lint(monkeypatch, "--strict", str(quickstart))
    assert result.exit_code == 0, result.output
