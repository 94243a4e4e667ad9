"""`understudy import`: what other gateways' files amount to, readable case by case in `testdata`."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.pages import blocks, page
from understudy.linting import as_line, check
from understudy.main import main
from understudy.manifests import load
from understudy_operator.compile import Severity

DATA = Path(__file__).parent / "testdata"
CASES = sorted(path.name for path in DATA.iterdir() if path.is_dir())
MAY_BE_WARNED_OF = {"SecretNotFound", "NotInEffect"}


def run(*arguments: str) -> Result:
    """The command, as a person types it."""
    return CliRunner().invoke(main, ["import", *arguments], catch_exceptions=False)


def findings(text: str) -> list[Any]:
    """What lint says of an output."""
    return list(check(load(["-"], environment={}, stdin=BytesIO(text.encode()))).findings)


@pytest.mark.parametrize("case", CASES)
def test_goldens(case: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """The objects, and what is said of the files."""
    monkeypatch.chdir(DATA / case)
    result = run(".")
    found = {"yaml": result.stdout, "txt": result.stderr}
    for suffix, text in found.items():
        path = DATA / f"{case}.{suffix}"
        if pytestconfig.getoption("--update-import-goldens"):
            path.write_text(text)
        assert path.read_text() == text
    assert result.exit_code == (1 if "error: " in result.stderr else 0)


@pytest.mark.parametrize("case", CASES)
def test_the_output_lints(case: str) -> None:
    """Without errors; warned of are Secrets, which are yet to be created, and what this version does not do."""
    text = run(str(DATA / case)).stdout
    found = findings(text)
    assert [as_line(each) for each in found if each.severity is Severity.ERROR] == []
    assert {str(each.reason) for each in found} <= MAY_BE_WARNED_OF


@pytest.mark.parametrize("case", CASES)
def test_no_secret_is_repeated(case: str) -> None:
    """Neither a key nor a password that a file holds, on either stream."""
    assert "not-to-be-shown" not in run(str(DATA / case)).output


def test_standard_input() -> None:
    """As everywhere, `-`."""
    config = "model_list: [{model_name: chat, litellm_params: {model: gpt-4o}}]\n"
    result = CliRunner().invoke(main, ["import", "-"], input=config)
    assert (result.exit_code, result.stderr) == (0, "read <stdin>: a LiteLLM configuration\n")
    assert [each["kind"] for each in yaml.safe_load_all(result.stdout)] == ["LLMProvider", "LLMRoute"]


def test_the_namespace(tmp_path: Path) -> None:
    """Is written into each object, and into the commands that create Secrets."""
    path = tmp_path / "config.yaml"
    path.write_text("model_list: [{model_name: chat, litellm_params: {model: gpt-4o}}]\n")
    text = run("-q", "-n", "ai", str(path)).output
    assert {each["metadata"]["namespace"] for each in yaml.safe_load_all(text)} == {"ai"}
    assert '#   kubectl create secret generic openai --namespace ai --from-literal=api-key="$OPENAI_API_KEY"\n' in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("model_list: 5", "1:1: error: model_list: must be a list", id="no list"),
        pytest.param("model_list: []\nrouter_settings: 5", "2:1: error: router_settings: must be a map", id="no map"),
        pytest.param("personas: {a: 5}", "1:12: error: personas.a: must be a map", id="no persona"),
        pytest.param("providers: {acme: {}}", "1:13: error: providers.acme: acme is no vendor", id="an unknown vendor"),
        pytest.param(
            "models: [{name: a, provider: acme}]",
            "1:20: error: models[0].provider: names acme",
            id="an unknown provider",
        ),
        pytest.param("tools: [{name: 'a b'}]", "1:10: error: tools[0].name: is no function name", id="no function"),
        pytest.param(
            "providers: {openai: {models: {m: {cost_per_1k: cheap}}}}",
            "1:35: error: providers.openai.models.m.cost_per_1k: must be a number",
            id="no price",
        ),
        pytest.param(
            "providers: {own: {base_url: 'nowhere'}}",
            "error: LLMProvider default/own: spec.baseURL: must be an http or https URL",
            id="what no object can hold",
        ),
        pytest.param("default_model: x\nmodels: []", "1:1: error: default_model: names x", id="an unknown model"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, said: str) -> None:
    """With file, line, column and field."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    result = run(str(path))
    assert said in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://user:not-to-be-shown@llm/v1", "https://llm/v1", id="a password"),
        pytest.param("https://llm/v1?key=not-to-be-shown", "https://llm/v1", id="a key"),
    ],
)
def test_an_address_keeps_its_secrets(tmp_path: Path, url: str, expected: str) -> None:
    """They are left out, and that is said."""
    for text in (
        f"providers: {{own: {{base_url: '{url}', models: [m]}}}}",
        f"model_list: [{{model_name: m, litellm_params: {{model: openai/m, api_base: '{url}', api_key: ''}}}}]",
    ):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        result = run(str(path))
        assert "not-to-be-shown" not in result.output
        assert "held credentials or a query" in result.stdout
        assert next(yaml.safe_load_all(result.stdout))["spec"]["baseURL"] == expected


def test_a_tools_address_keeps_its_secrets(tmp_path: Path) -> None:
    """A key in a query is left out, and that is said."""
    path = tmp_path / "tools.json"
    path.write_text('[{"name": "f", "description": "F.", "url": "https://f/x?key=not-to-be-shown"}]')
    result = run(str(path))
    assert "not-to-be-shown" not in result.output
    assert "Its address had a query, which is left out" in result.stdout
    assert yaml.safe_load(result.stdout)["spec"]["handler"] == {"http": {"url": "https://f/x"}}


WORDS = st.sampled_from([
    "openai", "claude_agent", "gemini", "azure", "bedrock", "vertex_ai", "ollama", "hosted_vllm", "acme", "gpt-4o",
    "openai/m", "os.environ/A", "${A}", "*", "../x", "a b", "streaming", "tools", "low", "http://h", "http://u:p@h",
    "http://[", "{{x}}", "5", "-1", "1e400", "nan",
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-2, 10**12) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = WORDS | st.sampled_from(["name", "provider", "models"])
VALUES = st.recursive(
    LEAVES | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def maps(fields: str) -> st.SearchStrategy[dict[str, Any]]:
    """Maps with some of these fields, whose values may be anything."""
    return st.dictionaries(st.sampled_from(fields.split()), VALUES, max_size=6)


def named(fields: str) -> st.SearchStrategy[dict[str, Any]]:
    """Maps of such maps by name."""
    return st.dictionaries(WORDS, maps(fields), max_size=3)


DEPLOYMENTS = st.fixed_dictionaries(
    {"model_name": VALUES, "litellm_params": maps("model api_base api_key rpm order weight aws_region_name")},
    optional={"model_info": maps("mode base_model input_cost_per_token max_input_tokens")},
)
PROVIDERS = "type base_url api_key models cost_per_1k capabilities timeout rpm region project"
PERSONAS = "provider_preferences system_prompt requires tools parameters constraints aliases"
FILES = st.fixed_dictionaries(
    {},
    optional={
        "model_list": st.lists(DEPLOYMENTS | VALUES, max_size=3),
        "router_settings": maps("fallbacks model_group_alias num_retries timeout routing_strategy"),
        "providers": named(PROVIDERS) | VALUES,
        "models": named("provider physical_name fallbacks max_tokens") | VALUES,
        "personas": named(PERSONAS),
        "tools": st.lists(maps("name function description parameters url method timeout"), max_size=3) | VALUES,
        "default_model": VALUES,
    },
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(file=FILES)
def test_whatever_a_file_holds(tmp_path: Path, file: dict[str, Any]) -> None:
    """Objects that lint, or sentences; never a traceback."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(file))
    result = run(str(path))
    assert result.exit_code in {0, 1}
    if result.exit_code == 0 and result.stdout:
        assert [as_line(each) for each in findings(result.stdout) if each.severity is Severity.ERROR] == []


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of `docs/importing.md` is what the command prints."""
    before, after = blocks(page("docs/importing.md"), "yaml")[:2]
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(before.text)
    assert run("-q", "config.yaml").stdout == after.text
