"""Which Secrets and ConfigMaps an operator reads before it compiles."""

from typing import Any

import pytest

from understudy_operator.compile import References, references


def _object(kind: str, spec: Any, **metadata: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "x", **metadata}, "spec": spec}


TOKEN = {"handler": {"http": {"auth": {"bearer": {"secretKeyRef": {"name": "tokens", "key": "k"}}}}}}
KEY = {"auth": {"apiKey": {"secretKeyRef": {"name": "keys", "key": "k"}}}}


@pytest.mark.parametrize(
    ("given", "secrets", "config_maps"),
    [
        pytest.param(_object("LLMProvider", KEY, namespace="ai"), {("ai", "keys")}, set(), id="a key"),
        pytest.param(
            _object("LLMProvider", {"auth": {"aws": {"secretRef": {"name": "keys"}}}}),
            {("default", "keys")},
            set(),
            id="aws",
        ),
        pytest.param(
            _object("LLMProvider", {"auth": {"gcp": {"secretKeyRef": {"name": "keys", "key": "k"}}}}),
            {("default", "keys")},
            set(),
            id="gcp",
        ),
        pytest.param(
            _object("LLMProvider", {"auth": {"azure": {"clientSecretRef": {"name": "keys", "key": "k"}}}}),
            {("default", "keys")},
            set(),
            id="azure",
        ),
        pytest.param(_object("LLMProvider", KEY), {("default", "keys")}, set(), id="the default namespace"),
        pytest.param(
            _object("LLMProvider", {"tls": {"caBundleRef": {"name": "ca"}}}, namespace="ai"),
            set(),
            {("ai", "ca")},
            id="a bundle",
        ),
        pytest.param(
            _object("LLMProvider", {"tls": {"caBundleRef": {"kind": "Secret", "name": "ca"}}}, namespace="ai"),
            {("ai", "ca")},
            set(),
            id="a bundle in a Secret",
        ),
        pytest.param(
            _object("Persona", {"system": {"configMapKeyRef": {"name": "prompts", "key": "k"}}}, namespace="ai"),
            set(),
            {("ai", "prompts")},
            id="a prompt",
        ),
        pytest.param(_object("LLMTool", TOKEN, namespace="ai"), {("ai", "tokens")}, set(), id="a tool's token"),
        pytest.param(_object("LLMTool", {"handler": {"http": []}}, namespace="ai"), set(), set(), id="an odd handler"),
        pytest.param(_object("LLMProvider", "text"), set(), set(), id="no spec"),
        pytest.param(_object("LLMProvider", {"auth": {"apiKey": {"secretKeyRef": {"name": 5}}}}), set(), set(), id="5"),
        pytest.param({}, set(), set(), id="nothing"),
    ],
)
def test_what_an_object_names(
    given: dict[str, Any], secrets: set[tuple[str, str]], config_maps: set[tuple[str, str]]
) -> None:
    """No more is read than objects name, and broken ones name what can be told."""
    assert references([given]) == References(frozenset(secrets), frozenset(config_maps))
