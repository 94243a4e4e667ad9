"""A gateway out of provider keys: which objects they amount to."""

import base64
from typing import Any

import pytest

from understudy.environment import VENDORS, objects_from
from understudy.local import from_environment
from understudy_api.v1alpha1 import Invalid, parse

EVERY_KEY = {vendor.variable: f"key-of-{vendor.name}" for vendor in VENDORS}


def names(objects: tuple[dict[str, Any], ...], kind: str) -> list[str]:
    """The names of the objects of a kind."""
    return [one["metadata"]["name"] for one in objects if one["kind"] == kind]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"OPENAI_API_KEY": ""}, [], id="an empty key"),
        pytest.param({"OPENAI_API_KEY": " \n"}, [], id="a blank key"),
        pytest.param({"PATH": "/bin", "ANTHROPIC_API_KEY": "x"}, [], id="no vendor that is known"),
        pytest.param({"OPENAI_API_KEY": "x"}, ["openai"], id="one"),
        pytest.param({"GROQ_API_KEY": "x", "OPENAI_API_KEY": "x"}, ["openai", "groq"], id="two, in our order"),
        pytest.param(EVERY_KEY, ["openai", "mistral", "deepseek", "groq", "openrouter"], id="all"),
    ],
)
def test_a_provider_for_each_key(environment: dict[str, str], expected: list[str]) -> None:
    """A provider and a Secret for each vendor whose key is set; nothing at all without any."""
    objects = objects_from(environment, namespace="default")
    assert names(objects, "LLMProvider") == expected
    assert names(objects, "Secret") == expected
    assert names(objects, "LLMRoute") == (["chat"] if expected else [])


def test_every_object_is_one() -> None:
    """What a cluster would refuse is never made."""
    objects = objects_from(EVERY_KEY, namespace="team")
    assert [parse(one) for one in objects if one["kind"] != "Secret" and isinstance(parse(one), Invalid)] == []
    assert {one["metadata"]["namespace"] for one in objects} == {"team"}


def test_everything_made_is_served() -> None:
    """All models of all vendors compile without a finding, and the route asks the first model of each in turn."""
    local = from_environment(EVERY_KEY, namespace="team")
    assert local is not None
    assert local.findings == ()
    models = {name: tuple(provider.models) for name, provider in local.config.providers.items()}
    assert models == {f"team/{vendor.name}": vendor.models for vendor in VENDORS}
    (rule,) = local.config.targets["LLMRoute/team/chat"].rules
    asked = [(backend.provider, backend.model, backend.priority) for backend in rule.backends]
    assert asked == [(f"team/{vendor.name}", vendor.models[0], place) for place, vendor in enumerate(VENDORS)]


def test_the_keys_are_used_as_they_are() -> None:
    """But for the space around them; dollar signs and braces mean nothing."""
    local = from_environment({"OPENAI_API_KEY": " sk-${HOME}-$$ \n"}, namespace="default")
    assert local is not None
    assert list(local.snapshot.credentials.values.values()) == ["sk-${HOME}-$$"]


def test_a_key_that_cannot_be_one_is_an_error() -> None:
    """It is named by its provider, and not quoted."""
    local = from_environment({"OPENAI_API_KEY": "sk-\N{SNOWMAN}"}, namespace="default")
    assert local is not None
    (finding, *_) = local.errors
    assert str(finding).startswith("LLMProvider default/openai: spec.auth.apiKey")
    assert "sk-" not in str(local.findings)
    assert base64.b64encode(b"sk-").decode() not in repr(local)
