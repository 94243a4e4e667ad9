"""What is kept of a provider's words is fit to be shown to anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_proxy.failure import MAX_MESSAGE, FailureKind, UpstreamError, UpstreamFailure, bounded

SECRETS = [
    pytest.param("sk-proj-abcDEF123456_7890-xyz", id="OpenAI"),
    pytest.param("sk-abc***********xyz", id="OpenAI, already starred"),
    pytest.param("sk-ant-api03-AAAABBBBCCCC-DDDD", id="Anthropic"),
    pytest.param("gsk_abcdefghijklmnop1234", id="Groq"),
    pytest.param("xai-abcd1efghijklmnop", id="xAI"),
    pytest.param("hf_abcdefghijklmnopqrstuvwxyz", id="Hugging Face"),
    pytest.param("AIzaSyA-1234567890abcdefghijk", id="Google"),
    pytest.param("AKIAIOSFODNN7EXAMPLE", id="AWS"),
    pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123", id="JWT"),
    pytest.param("0123456789abcdef0123456789abcdef", id="Azure"),
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_masked(secret: str) -> None:
    """A key that a provider quotes back goes no further, and the sentence around it stays."""
    assert bounded(f"Incorrect API key provided: {secret}. Mind it.") in {
        "Incorrect API key provided: …. Mind it.",
        "Incorrect API key provided: … Mind it.",
    }


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", [MAX_MESSAGE - 40, MAX_MESSAGE - 10])
def test_a_secret_at_the_cut_is_masked_too(secret: str, before: int) -> None:
    """Cutting a message never leaves the beginning of a secret at its end."""
    message = bounded("a " * (before // 2) + secret)
    assert secret[:8] not in message


def test_bearer_tokens_are_masked() -> None:
    """A credential that looks like a word is known by the word before it."""
    assert bounded("got Authorization: Bearer hunter2 instead") == "got Authorization: … instead"


@pytest.mark.parametrize(
    "text",
    [
        "The model `gpt-4.1-mini-2025-04-14` does not exist",
        "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8 is not available",
        "This model's maximum context length is 128000 tokens. However, you requested 130000 tokens.",
        "Invalid value: 'asistant'. Supported values are: 'system', 'assistant', 'user', 'function', and 'tool'.",
        "ask-me-anything, task-12, risk-free, key-value, sk-learn, hf_hub_download",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    """Names of models and parameters are what a person needs to see."""
    assert bounded(text) == text


@given(st.text(max_size=6000))
def test_any_text_becomes_a_short_line(text: str) -> None:
    """Whatever a provider says, it is one line of bounded length that can be encoded."""
    message = bounded(text)
    assert len(message) <= MAX_MESSAGE
    assert message.encode().decode() == message
    assert not any(character in message for character in "\r\n\x00\x1b")


def test_an_error_says_what_failed() -> None:
    """The exception reads as its failure."""
    error = UpstreamError(UpstreamFailure(FailureKind.TLS_FAILED, "certificate has expired"))
    assert str(error) == "tls_failed: certificate has expired"
