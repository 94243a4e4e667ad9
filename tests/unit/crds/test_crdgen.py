"""From types to CRDs: what is written, and what is refused rather than dropped."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
import yaml
from pydantic import Field, create_model

from understudy_api.config import HealthPolicy, RetryPolicy, Timeouts
from understudy_api.crdgen import NotStructural, definitions, structural
from understudy_api.crdgen.__main__ import main
from understudy_api.crdgen.text import render
from understudy_api.v1alpha1.meta import HeaderName
from understudy_api.v1alpha1.model import ApiModel, Invariant, Unique, UniqueBy

ROOT = Path(__file__).parents[3]
Short = Annotated[str, Field(max_length=8)]


class Inner(ApiModel):
    """A part."""

    name: Short
    """Its name."""


class Tree(ApiModel):
    """A part that holds itself."""

    inside: "Tree | None" = None


class Level(StrEnum):
    """How high."""

    LOW = "Low"
    HIGH = "High"


class Nothing(ApiModel):
    """A part without fields."""


class Guarded(ApiModel):
    """A part with a rule."""

    invariants: ClassVar = (Invariant(cel="has(self.a)", message="a is needed", holds=lambda part: bool(part.a)),)

    a: Short | None = None


def _field(annotation: Any, default: Any = ...) -> dict[str, Any]:
    """The structural schema of one field."""
    model = create_model("Model", __base__=ApiModel, field=(annotation, default))
    fields: dict[str, Any] = structural(model.model_json_schema())["properties"]
    return dict(fields["field"])


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        pytest.param(Short, ..., {"type": "string", "maxLength": 8}, id="a string"),
        pytest.param(Short | None, None, {"type": "string", "maxLength": 8}, id="an optional one is not nullable"),
        pytest.param(
            Short, "x", {"type": "string", "maxLength": 8, "description": "Default: x."}, id="a default is words alone"
        ),
        pytest.param(bool, False, {"type": "boolean", "description": "Default: false."}, id="a default of false"),
        pytest.param(
            Level,
            Level.LOW,
            {"type": "string", "enum": ["Low", "High"], "description": "How high. Default: Low."},
            id="an enum",
        ),
        pytest.param(Literal["only"], ..., {"type": "string", "enum": ["only"]}, id="a constant"),
        pytest.param(
            Annotated[int, Field(ge=1, le=5)], ..., {"type": "integer", "minimum": 1, "maximum": 5}, id="a number"
        ),
        pytest.param(
            Inner | None,
            None,
            {
                "type": "object",
                "description": "A part.",
                "properties": {"name": {"type": "string", "maxLength": 8, "description": "Its name."}},
                "required": ["name"],
            },
            id="a part stands where it is used",
        ),
        pytest.param(
            Annotated[tuple[Short, ...], Field(max_length=3), Unique()],
            (),
            {
                "type": "array",
                "items": {"type": "string", "maxLength": 8},
                "maxItems": 3,
                "x-kubernetes-list-type": "set",
            },
            id="a set",
        ),
        pytest.param(
            Annotated[dict[str, Any], Field(max_length=3)],
            {},
            {"type": "object", "maxProperties": 3, "x-kubernetes-preserve-unknown-fields": True},
            id="free-form content",
        ),
        pytest.param(
            Annotated[dict[HeaderName, Short], Field(max_length=3)],
            {},
            {
                "type": "object",
                "maxProperties": 3,
                "additionalProperties": {"type": "string", "maxLength": 8},
                "x-kubernetes-validations": [
                    {
                        "rule": r"self.all(key, key.matches('^[A-Za-z0-9!#$%&\'*+\\-.^_`|~]+$'))",
                        "message": "a key must be a header name such as X-Team",
                    }
                ],
            },
            id="a map whose keys have a pattern",
        ),
        pytest.param(
            Guarded,
            ...,
            {
                "type": "object",
                "description": "A part with a rule.",
                "properties": {"a": {"type": "string", "maxLength": 8}},
                "x-kubernetes-validations": [{"rule": "has(self.a)", "message": "a is needed"}],
            },
            id="a rule stands at its part",
        ),
        pytest.param(
            Nothing,
            ...,
            {"type": "object", "description": "A part without fields."},
            id="no empty properties, which a server would drop",
        ),
    ],
)
def test_writes(annotation: Any, default: Any, expected: dict[str, Any]) -> None:
    """Each thing a type can say has one spelling in a CRD."""
    assert _field(annotation, default) == expected


def test_rules_add_up() -> None:
    """A rule of a field stands beside those of its part, and neither is lost."""
    more = Invariant(cel="size(self.a) > 1", message="more of a is needed", holds=lambda part: len(part.a) > 1)
    schema = _field(Annotated[Guarded, more])
    assert [rule["message"] for rule in schema["x-kubernetes-validations"]] == ["a is needed", "more of a is needed"]


def test_writes_a_list_by_key() -> None:
    """Server-side apply merges the entries of a list by their key."""
    schema = _field(Annotated[tuple[Inner, ...], Field(max_length=3), UniqueBy("name")])
    assert schema["x-kubernetes-list-type"] == "map"
    assert schema["x-kubernetes-list-map-keys"] == ["name"]


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        pytest.param(str, "Model.field: unbounded; give it a maxLength", id="an unbounded string"),
        pytest.param(tuple[Short, ...], "Model.field: unbounded; give it a maxItems", id="an unbounded list"),
        pytest.param(dict[str, Short], "Model.field: unbounded; give it a maxProperties", id="an unbounded map"),
        pytest.param(
            Annotated[tuple[str, ...], Field(max_length=1)],
            r"Model.field\[\]: unbounded",
            id="an unbounded string in a list",
        ),
        pytest.param(Tree, "Model.field.inside: Tree contains itself", id="a part in itself"),
        pytest.param(Short | Inner, "Model.field: a union", id="a union"),
        pytest.param(
            Annotated[float, Field(gt=0)],
            "Model.field: no rule for the keyword exclusiveMinimum",
            id="an open end",
        ),
        pytest.param(Any, "Model.field: the type must be one of JSON's, not None", id="anything"),
    ],
)
def test_refuses(annotation: Any, message: str) -> None:
    """What a CRD cannot say is an error that names the field, not a hole in the schema."""
    with pytest.raises(NotStructural, match=message):
        _field(annotation)


def test_refuses_what_helm_would_execute() -> None:
    """The same text lies in a chart, where double braces are a template."""
    crd = {"metadata": {"name": "x"}, "spec": {"description": "{{ name }}"}}
    with pytest.raises(ValueError, match="Helm would execute"):
        render(crd)


def test_what_is_committed_is_what_is_generated() -> None:
    """The CRDs in the repository are those of the types: a field that goes away shows in a diff."""
    assert main(["--check", str(ROOT / "crds")]) == 0


def test_check_names_the_files_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` compares only, tells what differs, and fails."""
    one, other = tmp_path / "one", tmp_path / "other"
    assert main([str(one), str(other)]) == 0
    assert main(["--check", str(one), str(other)]) == 0
    (one / "understudy.dev_llmroutes.yaml").write_text("changed")
    (other / "understudy.dev_llmtools.yaml").unlink()
    (other / "understudy.dev_gone.yaml").write_text("of a kind that is no more")
    assert main(["--check", str(one), str(other)]) == 1
    named = [line.split(" is not ")[0] for line in capsys.readouterr().err.splitlines()]
    assert named == [
        str(one / "understudy.dev_llmroutes.yaml"),
        str(other / "understudy.dev_gone.yaml"),
        str(other / "understudy.dev_llmtools.yaml"),
    ]
    assert (one / "understudy.dev_llmroutes.yaml").read_text() == "changed"


def test_writing_makes_the_folder_as_it_should_be(tmp_path: Path) -> None:
    """Writing replaces what differs and removes what is stale, and leaves other files alone."""
    (tmp_path / "understudy.dev_gone.yaml").write_text("of a kind that is no more")
    (tmp_path / "README.md").write_text("not ours")
    assert main([str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {*definitions(), "README.md"}
    assert main(["--check", str(tmp_path)]) == 0


@pytest.mark.parametrize("name", definitions())
def test_text_says_what_the_definition_says(name: str) -> None:
    """The YAML holds the definition, whole."""
    crd = definitions()[name]
    assert yaml.safe_load(render(crd)) == crd


def _without_description(schema: dict[str, Any], path: str) -> Iterator[str]:
    if not schema.get("description"):
        yield path
    for name, field in schema.get("properties", {}).items():
        yield from _without_description(field, f"{path}.{name}")
    if "properties" in schema.get("items", {}):
        yield from _without_description(schema["items"], f"{path}[]")


def test_every_field_has_a_description() -> None:
    """`kubectl explain` never shows an empty line."""
    missing = [
        path
        for crd in definitions().values()
        for part in ("spec", "status")
        for path in _without_description(_schema(crd)["properties"][part], f"{crd['spec']['names']['kind']}.{part}")
    ]
    assert missing == []


def _schema(crd: dict[str, Any]) -> dict[str, Any]:
    return dict(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


def _description(plural: str, *path: str) -> str:
    schema = _schema(definitions()[f"understudy.dev_{plural}.yaml"])
    for name in path:
        schema = schema["properties"][name]
    return str(schema["description"])


def _spelled(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:g}ms"
    return f"{seconds / 60:g}m" if seconds >= 60 else f"{seconds:g}s"


@pytest.mark.parametrize(
    ("plural", "path", "default"),
    [
        pytest.param(
            "llmproviders", ("timeouts", "connect"), _spelled(Timeouts().connect_seconds), id="timeouts.connect"
        ),
        pytest.param(
            "llmproviders", ("timeouts", "firstToken"), _spelled(Timeouts().first_token_seconds), id="firstToken"
        ),
        pytest.param(
            "llmproviders", ("timeouts", "streamIdle"), _spelled(Timeouts().stream_idle_seconds), id="streamIdle"
        ),
        pytest.param(
            "llmproviders", ("timeouts", "request"), _spelled(Timeouts().request_seconds), id="timeouts.request"
        ),
        pytest.param(
            "llmproviders",
            ("health", "consecutiveFailures"),
            str(HealthPolicy().consecutive_failures),
            id="consecutiveFailures",
        ),
        pytest.param(
            "llmproviders", ("health", "ejectionDuration"), _spelled(HealthPolicy().ejection_seconds), id="ejection"
        ),
        pytest.param(
            "llmproviders",
            ("health", "maxEjectionDuration"),
            _spelled(HealthPolicy().max_ejection_seconds),
            id="longest ejection",
        ),
        pytest.param(
            "llmroutes",
            ("retry", "attempts"),
            f"{RetryPolicy().attempts}, or one for each backend of the longest rule",
            id="attempts",
        ),
        pytest.param(
            "llmroutes", ("retry", "backoff", "base"), _spelled(RetryPolicy().base_seconds), id="backoff.base"
        ),
        pytest.param("llmroutes", ("retry", "backoff", "max"), _spelled(RetryPolicy().max_seconds), id="max"),
        pytest.param("llmroutes", ("retry", "budgetPercent"), str(RetryPolicy().budget_percent), id="budgetPercent"),
    ],
)
def test_descriptions_tell_the_defaults_that_proxies_use(plural: str, path: tuple[str, ...], default: str) -> None:
    """What `kubectl explain` says of a default is what a proxy does."""
    assert _description(plural, "spec", *path).endswith(f"Default: {default}.")
