"""Whose model it is."""

import pytest

from understudy_proxy.mesh.vendors import vendor_of


@pytest.mark.parametrize(
    ("system", "model", "vendor"),
    [
        pytest.param("openai", "anything", "openai", id="who serves its own"),
        pytest.param("azure.ai.openai", "my-deployment", "openai", id="under another name"),
        pytest.param("anthropic", "claude-opus-4-1", "anthropic", id="Anthropic"),
        pytest.param("gcp.gemini", "gemini-2.5-pro", "gemini", id="Google"),
        pytest.param("gcp.vertex_ai", "gemini-2.5-pro", "gemini", id="Google's cloud"),
        pytest.param("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "anthropic", id="Claude there"),
        pytest.param("aws.bedrock", "eu.anthropic.claude-sonnet-4-5-v1:0", "anthropic", id="Claude at Amazon's"),
        pytest.param("openrouter", "openai/gpt-4.1", "openai", id="by the model's name"),
        pytest.param("openrouter", "openai/o3", "openai", id="a short name"),
        pytest.param("groq", "llama-3.3-70b-versatile", "meta", id="Llama"),
        pytest.param("ollama", "qwen3:8b", "qwen", id="Qwen"),
        pytest.param("vllm", "mistralai/Mixtral-8x7B", "mistral", id="upper case"),
        pytest.param("openai_compatible", "m", "unknown", id="nobody knows"),
        pytest.param("ollama", "solo1", "unknown", id="no family's, though it has its letters"),
    ],
)
def test_vendor(system: str, model: str, vendor: str) -> None:
    """From the provider where it makes its models, else from the model's name."""
    assert vendor == vendor_of(system, model).name
