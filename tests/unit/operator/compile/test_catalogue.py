"""The catalogue of models and the table of vendors."""

import pytest

from understudy_api.config import Capability
from understudy_api.v1alpha1.provider import WITHOUT_ADDRESS, ProviderType
from understudy_operator.compile.catalogue import KNOWN_MODELS, KnownModel, known_model
from understudy_operator.compile.vendors import VENDORS

ALL = [
    pytest.param(model, id=f"{type_} {name}")
    for type_, models in KNOWN_MODELS.items()
    for name, model in models.items()
]


@pytest.mark.parametrize("model", ALL)
def test_an_entry_is_plausible(model: KnownModel) -> None:
    """A slip of the finger in a price or a window would be believed by everybody."""
    assert model.context_window is None or 1_000 <= model.context_window <= 10_000_000
    assert model.max_output_tokens is None or model.max_output_tokens <= (model.context_window or 0)
    if model.pricing is not None:
        assert model.pricing.cached_input <= model.pricing.input <= 20
        assert model.pricing.input <= model.pricing.cache_write
        assert model.pricing.output <= 100
        assert Capability.CHAT not in model.capabilities or model.pricing.input < model.pricing.output


def test_a_snapshot_is_the_model_that_it_is_a_snapshot_of() -> None:
    """Whoever pins a date still gets price and window."""
    assert known_model(ProviderType.OPENAI, "gpt-4o-2024-08-06") == known_model(ProviderType.OPENAI, "gpt-4o")
    assert known_model(ProviderType.ANTHROPIC, "claude-sonnet-4-5-20250929") == known_model(
        ProviderType.ANTHROPIC, "claude-sonnet-4-5"
    )


def test_a_snapshot_that_costs_something_else_is_not() -> None:
    """The first gpt-4o was twice as dear."""
    assert known_model(ProviderType.OPENAI, "gpt-4o-2024-05-13") != known_model(ProviderType.OPENAI, "gpt-4o")


@pytest.mark.parametrize(
    ("name", "like", "priced"),
    [
        pytest.param("anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", False, id="a region's own"),
        pytest.param("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", False, id="across regions"),
        pytest.param("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6", True, id="across the world"),
        pytest.param("global.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5", True, id="dated"),
    ],
)
def test_claude_at_bedrock_is_claude(name: str, like: str, *, priced: bool) -> None:
    """Whatever region is asked, the model can do the same; only worldwide it costs the same for certain."""
    at_bedrock, at_home = known_model(ProviderType.BEDROCK, name), known_model(ProviderType.ANTHROPIC, like)
    assert at_bedrock is not None
    assert at_home is not None
    assert at_home.capabilities == at_bedrock.capabilities
    assert at_home.context_window == at_bedrock.context_window
    assert (at_home.pricing if priced else None) == at_bedrock.pricing


def test_nova_is_known_by_every_id_and_priced_where_it_was_looked_up() -> None:
    """The price of one continent is not taken for another's."""
    here, there = (known_model(ProviderType.BEDROCK, f"{region}.amazon.nova-lite-v1:0") for region in ("us", "eu"))
    assert here is not None
    assert there is not None
    assert here.pricing is not None
    assert there.pricing is None
    assert here.capabilities == there.capabilities


def test_a_deployment_at_azure_has_no_certain_price() -> None:
    """Under a model's own name it can do what the model can; its price depends on the kind of deployment."""
    at_azure, at_openai = (known_model(type_, "gpt-4.1") for type_ in (ProviderType.AZURE_OPENAI, ProviderType.OPENAI))
    assert at_azure is not None
    assert at_openai is not None
    assert at_openai.capabilities == at_azure.capabilities
    assert at_azure.pricing is None


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        pytest.param(ProviderType.BEDROCK, "claude-sonnet-4-5", id="the vendor's own id"),
        pytest.param(ProviderType.BEDROCK, "meta.llama3-1-8b-instruct-v1:0", id="another maker"),
        pytest.param(ProviderType.BEDROCK, "arn:aws:bedrock:eu-central-1:1:inference-profile/x", id="a profile"),
        pytest.param(ProviderType.OPENAI, "gpt-4o-mini-tts", id="a longer name"),
        pytest.param(ProviderType.OPENROUTER, "gpt-4o", id="another seller"),
        pytest.param(ProviderType.VLLM, "gpt-4o", id="one's own server"),
    ],
)
def test_other_models_are_unknown(type_: ProviderType, name: str) -> None:
    """What is not known is not guessed."""
    assert known_model(type_, name) is None


def test_a_vendor_without_an_address_is_one_that_must_be_given_one() -> None:
    """The API asks for baseURL or serviceRef exactly where there is no default; of a mesh it is the gateway itself."""
    assert {type_ for type_, vendor in VENDORS.items() if vendor.host is None} == WITHOUT_ADDRESS | {ProviderType.MESH}
