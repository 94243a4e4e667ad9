"""What is large, deep or endless is refused with a sentence, not computed."""

from typing import Any

import pytest

from harness.compiling import inputs_of
from understudy_operator.compile import Compiled, Reason, compile_objects


def _object(kind: str, name: str, spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ai"}
    return {"apiVersion": "understudy.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


PROVIDER = _object(
    "LLMProvider", "p", {"type": "VLLM", "baseURL": "http://p/v1", "models": [{"name": "m", "capabilities": ["Chat"]}]}
)
PREFERENCES = [{"providerRef": {"name": "p"}}]


def _persona(name: str, **system: Any) -> dict[str, Any]:
    return _object("Persona", name, {"system": system, "preferences": PREFERENCES})


def _accepted(compiled: Compiled, name: str) -> tuple[bool, Reason]:
    outcome = next(verdict.accepted for verdict in compiled.verdicts if verdict.object.name == name)
    return outcome.status, outcome.reason


def test_a_prompt_of_many_large_parts_is_refused() -> None:
    """Each part is within its bound; together they would not fit any model's window."""
    parts = [_persona(f"part-{index}", text="word " * 20_000) for index in range(3)]
    whole = _persona("whole", include=[f"part-{index}" for index in range(3)])
    assert _accepted(compile_objects(inputs_of([PROVIDER, *parts, whole])), "whole") == (False, Reason.INVALID)


def test_a_prompt_that_multiplies_a_variable_is_refused() -> None:
    """A few thousand placeholders of a few thousand characters must not become gigabytes."""
    bomb = _persona("bomb", text="{{ v }}" * 30_000, variables=[{"name": "v", "default": "x" * 8192}])
    assert _accepted(compile_objects(inputs_of([PROVIDER, bomb])), "bomb") == (False, Reason.INVALID)


def test_including_in_all_directions_is_refused() -> None:
    """Sixteen includes on each of eight levels would be billions of steps."""
    level = [[f"p-{depth}-{index}" for index in range(16)] for depth in range(8)]
    personas = [
        _persona(name, include=level[depth + 1] if depth < 7 else [])
        for depth, names in enumerate(level)
        for name in names
    ]
    assert _accepted(compile_objects(inputs_of([PROVIDER, *personas])), "p-0-0") == (False, Reason.INVALID)


@pytest.mark.parametrize("depth", [40, 300, 5_000])
def test_deeply_nested_schemas_are_refused(depth: int) -> None:
    """However deep, the answer is a sentence."""
    schema: Any = True
    for _ in range(depth):
        schema = {"a": schema}
    tool = _object("LLMTool", "deep", {"description": "Deep", "parameters": {"properties": schema}})
    assert _accepted(compile_objects(inputs_of([tool])), "deep") == (False, Reason.INVALID)
