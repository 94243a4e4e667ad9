"""A gateway out of provider keys: which objects they amount to."""

import base64
from typing import Any

import pytest

from understudy.environment import VENDORS, objects_from
from understudy.local import from_environment
from understudy_api.config import AWSIdentity
from understudy_api.v1alpha1 import Invalid, parse

EVERY_KEY = {
    **{variable: f"key-of-{vendor.name}" for vendor in VENDORS for variable in vendor.variables},
    "AZURE_OPENAI_ENDPOINT": "https://me.openai.azure.com/",
    "AWS_REGION": "eu-central-1",
}
ACCESS_KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "wJalr"}


def names(objects: tuple[dict[str, Any], ...], kind: str) -> list[str]:
    """The names of the objects of a kind."""
    return [one["metadata"]["name"] for one in objects if one["kind"] == kind]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"OPENAI_API_KEY": ""}, [], id="an empty key"),
        pytest.param({"OPENAI_API_KEY": " \n"}, [], id="a blank key"),
        pytest.param({"PATH": "/bin", "SOME_API_KEY": "x"}, [], id="no vendor that is known"),
        pytest.param({"OPENAI_API_KEY": "x"}, ["openai"], id="one"),
        pytest.param({"GROQ_API_KEY": "x", "OPENAI_API_KEY": "x"}, ["openai", "groq"], id="two, in our order"),
        pytest.param({"GOOGLE_API_KEY": "x"}, ["gemini"], id="a vendor's other variable"),
        pytest.param({"AZURE_OPENAI_API_KEY": "x"}, [], id="a key of a resource that is nowhere"),
        pytest.param({"AWS_BEARER_TOKEN_BEDROCK": "x"}, [], id="a key without a region"),
        pytest.param({"AWS_BEARER_TOKEN_BEDROCK": "x", "AWS_REGION": "eu-west-1"}, ["bedrock"], id="with one"),
        pytest.param({**ACCESS_KEYS, "AWS_DEFAULT_REGION": "eu-west-1"}, ["bedrock"], id="access keys"),
        pytest.param({"AWS_ACCESS_KEY_ID": "x", "AWS_REGION": "eu-west-1"}, [], id="half of them"),
        pytest.param(EVERY_KEY, [vendor.name for vendor in VENDORS], id="all"),
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


def test_how_clouds_are_signed_in_to() -> None:
    """With what their own SDKs would take: an address of one's own, a key of Bedrock's before access keys."""
    local = from_environment(EVERY_KEY, namespace="team")
    assert local is not None
    azure, bedrock = (local.config.providers[f"team/{name}"] for name in ("azure", "bedrock"))
    assert azure.base_url == "https://me.openai.azure.com/openai/v1"
    assert bedrock.base_url == "https://bedrock-runtime.eu-central-1.amazonaws.com"
    assert bedrock.credential is not None
    assert local.snapshot.credentials.values[bedrock.credential.name] == "key-of-bedrock"


def test_access_keys_sign_for_their_region() -> None:
    """Temporary ones with their token."""
    environment = {**ACCESS_KEYS, "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-west-1"}
    local = from_environment(environment, namespace="team")
    assert local is not None
    cloud = local.config.providers["team/bedrock"].cloud
    assert isinstance(cloud, AWSIdentity)
    assert cloud.region == "eu-west-1"
    refs = (cloud.access_key_id, cloud.secret_access_key, cloud.session_token)
    assert [local.snapshot.credentials.values[ref.name] for ref in refs if ref] == ["AKID", "wJalr", "token"]


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
