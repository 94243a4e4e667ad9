"""From raw objects to typed ones, or to sentences."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from understudy_api.v1alpha1 import API_VERSION, KINDS, Invalid, LLMProvider, Persona, Problem, parse, patterns
from understudy_api.v1alpha1.model import ApiModel
from understudy_api.v1alpha1.reading import MAX_PROBLEMS, nearest

ROUTE: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "LLMRoute",
    "metadata": {"name": "chat"},
    "spec": {"rules": [{"backends": [{"providerRef": {"name": "openai"}, "model": "gpt-4.1-mini"}]}]},
}
MUST_BE_A_KIND = "it must be LLMProvider, LLMRoute, Persona or LLMTool"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        pytest.param([], Problem("", "must be an object with apiVersion, kind, metadata and spec"), id="not an object"),
        pytest.param({}, Problem("apiVersion", f"is missing: it must be {API_VERSION}"), id="empty"),
        pytest.param(
            {"apiVersion": "understudy.dev/v2", "kind": "LLMRoute"},
            Problem("apiVersion", f'"understudy.dev/v2" is not known: it must be {API_VERSION}'),
            id="another version",
        ),
        pytest.param({"apiVersion": API_VERSION}, Problem("kind", f"is missing: {MUST_BE_A_KIND}"), id="no kind"),
        pytest.param(
            {"apiVersion": API_VERSION, "kind": "llmroute"},
            Problem("kind", f'"llmroute" is not known: {MUST_BE_A_KIND}; did you mean LLMRoute?'),
            id="a kind in lower case",
        ),
        pytest.param({**ROUTE, "metadata": {}}, Problem("metadata.name", "is required"), id="no name"),
        pytest.param(
            {**ROUTE, "spec": {**ROUTE["spec"], "cache": {"ttl": float("nan")}}},
            Problem("", "is not JSON: Out of range float values are not JSON compliant"),
            id="not a number",
        ),
        pytest.param(
            {**ROUTE, "spec": {**ROUTE["spec"], "cache": {"ttl": object}}},
            Problem("", "is not JSON: Object of type type is not JSON serializable"),
            id="not data",
        ),
    ],
)
def test_says_what_is_wrong_with_the_whole(raw: Any, problem: Problem) -> None:
    """What is no object of ours is told so, with what would be one."""
    assert parse(raw) == Invalid((problem,))


def test_names_every_problem_at_once() -> None:
    """An author mends all of an object in one go, so all of its problems are named, in the order of its fields."""
    backend = {"providerRef": {"name": 1}, "weight": "2"}
    raw = {**ROUTE, "spec": {"rules": [{"backends": [backend]}, {"backends": []}], "hedge": {}}}
    assert parse(raw) == Invalid(
        (
            Problem("spec.rules[0].backends[0].providerRef.name", "must be a string, not a number"),
            Problem("spec.rules[0].backends[0].model", "is required"),
            Problem("spec.rules[0].backends[0].weight", "must be a whole number, not a string"),
            Problem("spec.rules[1].backends", "must have at least 1 entry"),
            Problem("spec.hedge.after", "is required"),
        )
    )


def test_names_each_broken_rule_of_a_part() -> None:
    """Two rules that are broken in one place are two sentences."""
    raw = {**ROUTE, "kind": "LLMProvider", "spec": {"type": "VLLM", "auth": {"aws": {"region": "eu-central-1"}}}}
    assert parse(raw) == Invalid(
        (
            Problem("spec", "this type has no default address: set baseURL or serviceRef"),
            Problem("spec", "auth.aws is for type Bedrock"),
        )
    )


def test_stops_naming_problems_at_a_bound() -> None:
    """A status message has a limit, and nobody reads more."""
    raw = {**ROUTE, "spec": {"rules": [{}] * 500}}
    outcome = parse(raw)
    assert isinstance(outcome, Invalid)
    assert len(outcome.problems) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("baseURL", "https://user:hunter2@host", id="a password in a URL"),
        pytest.param("auth", {"apiKey": {"secretKeyRef": {"name": "sk-Hunter2", "key": "k"}}}, id="a key as a name"),
        pytest.param("headers", {"set": {"Authorization": "Bearer hunter2\n"}}, id="a token in a header"),
        pytest.param("auth", "hunter2", id="a key in the place of a map"),
    ],
)
def test_never_repeats_what_may_be_a_secret(field: str, value: Any) -> None:
    """People paste keys into the wrong field; messages end in statuses, events and logs."""
    outcome = parse({**ROUTE, "kind": "LLMProvider", "spec": {"type": "OpenAI", field: value}})
    assert isinstance(outcome, Invalid)
    assert "hunter2" not in repr(outcome).lower()


def test_reads_null_as_not_set() -> None:
    """As the API server does; a null inside free-form content is content."""
    spec = {"routeRef": {"name": "chat", "namespace": None}, "cache": None, "requires": None}
    defaults = {"stop": None}
    raw = {**ROUTE, "kind": "Persona", "spec": {**spec, "parameters": {"defaults": defaults, "overrides": None}}}
    raw["metadata"] = {"name": "x", "creationTimestamp": None}
    resource = parse(raw)
    assert isinstance(resource, Persona)
    assert resource.spec.model_fields_set == {"route_ref", "parameters"}
    assert resource.spec.parameters is not None
    assert resource.spec.parameters.defaults == defaults


def test_knows_fields_by_the_name_that_users_write_alone() -> None:
    """`base_url` is Python's name for the field; the API server drops it, so it must not count here."""
    raw = {**ROUTE, "kind": "LLMProvider", "spec": {"type": "OpenAI", "base_url": "http://elsewhere"}}
    resource = parse(raw)
    assert isinstance(resource, LLMProvider)
    assert resource.spec.base_url is None


def test_does_not_look_at_the_status() -> None:
    """Whatever an older or newer operator wrote there, the object stays valid."""
    resource = parse({**ROUTE, "status": {"conditions": "many"}})
    assert not isinstance(resource, Invalid)
    assert resource.status is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["metadata", "spec", "name", "rules", "backends", "models", "auth", "type", "labels"])


@given(
    st.dictionaries(FIELDS, st.recursive(JSON, lambda inner: st.dictionaries(FIELDS, inner, max_size=3))),
    st.sampled_from([*KINDS, "Pod"]),
)
def test_never_raises(raw: dict[str, Any], kind: str) -> None:
    """Whatever a file or an API server without our CRDs holds, the outcome is an object or sentences."""
    outcome = parse({**raw, "apiVersion": API_VERSION, "kind": kind})
    if isinstance(outcome, Invalid):
        assert outcome.problems
        text = " ".join(problem.message for problem in outcome.problems)
        assert "pydantic" not in text
        assert "Input should" not in text


def test_never_raises_on_endless_nesting() -> None:
    """A document that nests beyond all bounds is refused like any other."""
    deep: Any = {}
    for _ in range(100_000):
        deep = [deep]
    outcome = parse({**ROUTE, "kind": "LLMTool", "spec": {"description": "d", "parameters": {"a": deep}}})
    assert isinstance(outcome, Invalid)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("weigth", "weight", id="letters swapped"),
        pytest.param("providerref", "providerRef", id="another case"),
        pytest.param("context", "contextWindow", id="the beginning of one"),
        pytest.param("max", None, id="the beginning of two"),
        pytest.param("co", None, id="too little to guess"),
        pytest.param("zzz", None, id="nothing like it"),
        pytest.param("w" * 1_000_000, None, id="endless"),
    ],
)
def test_nearest(word: str, expected: str | None) -> None:
    """A hint is given where one name is meant, and none where it would be a guess."""
    known = ["weight", "providerRef", "contextWindow", "maxCostTier", "maxMessages"]
    assert nearest(word, known) == expected


def _patterns(model: type[ApiModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    seen.add(model)
    for field in model.model_fields.values():
        yield from _patterns_of(field, seen)


def _patterns_of(annotation: Any, seen: set[type[BaseModel]]) -> Iterator[str]:
    if isinstance(annotation, FieldInfo):
        for constraint in annotation.metadata:
            if pattern := getattr(constraint, "pattern", None):
                yield pattern
        yield from _patterns_of(annotation.annotation, seen)
        return
    if isinstance(annotation, type) and issubclass(annotation, ApiModel) and annotation not in seen:
        yield from _patterns(annotation, seen)
    for argument in get_args(annotation):
        yield from _patterns_of(argument, seen)


def test_every_pattern_has_words() -> None:
    """A regular expression is no message: each one has the words that complete "must be ..."."""
    used = {pattern for kind in KINDS.values() for pattern in _patterns(kind, set())}
    assert used
    assert used <= patterns.MEANINGS.keys()
