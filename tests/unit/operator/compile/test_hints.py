"""The hints at what was meant: `did you mean …?`, sparingly."""

import pytest

from harness.compiling import inputs_of
from understudy_operator.compile import compile_objects
from understudy_operator.compile.missing import Missing
from understudy_operator.compile.verdict import Reason

MODELS = tuple(f"model-{index}" for index in range(250))


@pytest.mark.parametrize(
    ("wanted", "known", "hint"),
    [
        pytest.param("gpt-4o-mni", ("gpt-4o", "gpt-4o-mini", "o3"), "; did you mean gpt-4o-mini?", id="a letter less"),
        pytest.param("pgt-4o", ("gpt-4o", "claude"), "; did you mean gpt-4o?", id="the first letters swapped"),
        pytest.param("GPT-4O", ("gpt-4o",), "; did you mean gpt-4o?", id="another case"),
        pytest.param("gpt-4o-mni", (*MODELS, "gpt-4o-mini"), "; did you mean gpt-4o-mini?", id="among many"),
        pytest.param("llama", ("gpt-4o",), "", id="nothing near"),
        pytest.param("llama", (), "", id="nothing at all"),
        pytest.param("x" * 200, ("x" * 199,), "", id="too long to compare"),
    ],
)
def test_the_nearest_name(wanted: str, known: tuple[str, ...], hint: str) -> None:
    """What was probably meant, and rather nothing than nonsense."""
    assert Missing(Reason.MODEL_NOT_FOUND, "is missing", wanted=wanted, known=known).hint() == hint


def test_an_object_gets_so_many_hints() -> None:
    """One object with a thousand typing errors must not hold up the others."""
    provider = {
        "apiVersion": "understudy.dev/v1alpha1",
        "kind": "LLMProvider",
        "metadata": {"name": "p", "namespace": "ai"},
        "spec": {"type": "VLLM", "baseURL": "http://p/v1", "models": [{"name": name} for name in MODELS]},
    }
    backends = [{"providerRef": {"name": "p"}, "model": f"modle-{index}"} for index in range(32)]
    route = {
        "apiVersion": "understudy.dev/v1alpha1",
        "kind": "LLMRoute",
        "metadata": {"name": "r", "namespace": "ai"},
        "spec": {"rules": [{"backends": backends}]},
    }
    verdict = compile_objects(inputs_of([provider, route])).verdicts[-1]
    assert sum("did you mean" in finding.message for finding in verdict.findings) == 8
