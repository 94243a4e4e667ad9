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
    ("type_", "name"),
    [
        pytest.param(ProviderType.OPENAI, "gpt-4o-mini-tts", id="a longer name"),
        pytest.param(ProviderType.OPENROUTER, "gpt-4o", id="another seller"),
        pytest.param(ProviderType.VLLM, "gpt-4o", id="one's own server"),
    ],
)
def test_other_models_are_unknown(type_: ProviderType, name: str) -> None:
    """What is not known is not guessed."""
    assert known_model(type_, name) is None


def test_a_vendor_without_an_address_is_one_that_must_be_given_one() -> None:
    """The API asks for baseURL or serviceRef exactly where there is no default."""
    assert {type_ for type_, vendor in VENDORS.items() if vendor.base_url is None} == WITHOUT_ADDRESS & set(VENDORS)
