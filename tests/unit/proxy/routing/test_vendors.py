"""Models by whose they are, whatever the object is called that serves them."""

import pytest

from harness.runtimes import a_backend, a_model, a_provider, a_rule, a_runtime, a_target
from understudy_api.config import Names, Provider
from understudy_proxy.routing.resolve import NotFound, resolve, visible_models


def _provider(key: str, type_: str, system: str, *models: str, visible_to: tuple[str, ...] | None = None) -> Provider:
    served = {name: a_model(upstream_name=upstream or name) for name, _, upstream in (m.partition("=") for m in models)}
    made = a_provider(key, serves=served, type=type_, visible_to=visible_to)
    return made.model_copy(update={"system": system})


RUNTIME = a_runtime(
    _provider("ai/claude", "Anthropic", "anthropic", "claude-sonnet-4-5=claude-sonnet-4-5-20250929"),
    _provider("ai/aws", "Bedrock", "aws.bedrock", "claude-sonnet-4-5=us.anthropic.claude-sonnet-4-5-v1:0", "nova"),
    _provider("ai/first", "VLLM", "vllm", "claude-sonnet-4-5", "qwen3"),
    _provider("ai/google-ai", "Gemini", "gcp.gemini", "gemini-2.5-flash"),
    _provider("team/mine", "Anthropic", "anthropic", "claude-haiku-4-5", visible_to=()),
    _provider("ai/openai", "OpenAICompatible", "openai_compatible", "gpt-x"),
    _provider("ai/gpt", "OpenAI", "openai", "gpt-x", "gpt-y"),
    targets=[a_target("ai/all-qwen", a_rule(a_backend("ai/first", "qwen3")))],
    names=Names(
        providers={"claude": ("ai/claude",), "openai": ("ai/openai",), "gpt": ("ai/gpt",)},
        prefixes=(("qwen/", ("LLMRoute/ai/all-qwen",)),),
    ),
)


@pytest.mark.parametrize(
    ("model", "namespace", "meant"),
    [
        pytest.param("anthropic/claude-sonnet-4-5", None, "ai/claude:claude-sonnet-4-5", id="its vendor first"),
        pytest.param("anthropic/claude-sonnet-4-5-20250929", None, "ai/claude:claude-sonnet-4-5", id="as it calls it"),
        pytest.param("bedrock/claude-sonnet-4-5", None, "ai/aws:claude-sonnet-4-5", id="by type"),
        pytest.param("gemini/gemini-2.5-flash", None, "ai/google-ai:gemini-2.5-flash", id="by vendor"),
        pytest.param("google/gemini-2.5-flash", None, "ai/google-ai:gemini-2.5-flash", id="by another name of his"),
        pytest.param("openai/gpt-x", None, "ai/openai:gpt-x", id="a provider that is called so"),
        pytest.param("openai/gpt-y", None, "ai/gpt:gpt-y", id="the vendor for what that one lacks"),
        pytest.param("anthropic/claude-haiku-4-5", "team", "team/mine:claude-haiku-4-5", id="of one's own"),
        pytest.param("anthropic/claude-haiku-4-5", None, None, id="of others"),
        pytest.param("anthropic/qwen3", None, None, id="not his"),
        pytest.param("mistral/mistral-large", None, None, id="nobody's"),
    ],
)
def test_vendor_prefixed_names(model: str, namespace: str | None, meant: str | None) -> None:
    """A vendor's name leads to whoever serves his model to this caller, the vendor himself first."""
    found = resolve(RUNTIME, model, namespace=namespace)
    assert (None if isinstance(found, NotFound) else found.key) == (meant and f"provider/{meant}")


def test_what_somebody_has_named_comes_first() -> None:
    """A route's prefix says what a vendor's models mean, before any guess."""
    found = resolve(RUNTIME, "qwen/qwen3", namespace=None)
    assert not isinstance(found, NotFound)
    assert "LLMRoute/ai/all-qwen" == found.key


def test_they_are_not_listed() -> None:
    """Each model is listed once, by the name that its provider has."""
    names = {one.name for one in visible_models(RUNTIME, namespace=None)}
    assert "claude/claude-sonnet-4-5" in names
    assert not any(name.startswith("anthropic/") for name in names)
