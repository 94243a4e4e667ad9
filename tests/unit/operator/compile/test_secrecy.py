"""A credential is in `Credentials` and nowhere else, whatever is wrong with it and wherever it was pasted."""

import base64
from typing import Any

import pytest

from harness.compiling import inputs_of
from understudy_api.config import CredentialRef, canonical_json
from understudy_operator.compile import Compiled, compile_objects

CANARY = "sk-canary-4711"


def _provider(**spec: Any) -> dict[str, Any]:
    usual = {"type": "OpenAI", "models": [{"name": "m"}]}
    return {
        "apiVersion": "understudy.dev/v1alpha1",
        "kind": "LLMProvider",
        "metadata": {"name": "p", "namespace": "ai"},
        "spec": {**usual, **spec},
    }


def _secret(**content: Any) -> dict[str, Any]:
    return {"kind": "Secret", "metadata": {"name": "keys", "namespace": "ai"}, **content}


def _public(compiled: Compiled) -> str:
    """All that leaves compile outside of the credentials' values."""
    return f"{canonical_json(compiled.config).decode()} {compiled.verdicts!r} {compiled.credentials!r} {compiled!r}"


def _tool(**http: Any) -> dict[str, Any]:
    return {
        "apiVersion": "understudy.dev/v1alpha1",
        "kind": "LLMTool",
        "metadata": {"name": "t", "namespace": "ai"},
        "spec": {"description": "Does it", "handler": {"http": {"url": "http://h/", **http}}},
    }


TOOL = _tool(auth={"bearer": {"secretKeyRef": {"name": "keys", "key": "k"}}})
SIGNED_IN = _provider(auth={"apiKey": {"secretKeyRef": {"name": "keys", "key": "k"}}})
ENCODED = base64.b64encode(CANARY.encode()).decode()


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(_secret(data={"k": ENCODED}), id="good, out of a file"),
        pytest.param(_secret(stringData={"k": CANARY}), id="good, plain"),
        pytest.param(_secret(data={"k": CANARY}), id="not base64"),
        pytest.param(_secret(data={"k": f"{ENCODED}*"}), id="almost base64"),
        pytest.param(_secret(data={"k": [CANARY]}), id="a list"),
        pytest.param(_secret(data={"k": {"value": CANARY}}), id="a map"),
        pytest.param(_secret(data=CANARY), id="no data but text"),
        pytest.param(_secret(data={"other": ENCODED}), id="another key"),
        pytest.param(_secret(stringData={"k": f"{CANARY}\nmore"}), id="two lines"),
        pytest.param(_secret(stringData={"k": f"{CANARY}ü"}), id="not ASCII"),
        pytest.param(_secret(stringData={"k": f"{CANARY}\ud800"}), id="half a surrogate pair"),
        pytest.param(_secret(stringData={"k": CANARY * 1000}), id="too long"),
        pytest.param(_secret(stringData={"k": 4711, "x": CANARY}), id="a number"),
    ],
)
def test_no_byte_of_a_secret_gets_out(secret: dict[str, Any]) -> None:
    """Neither the value nor its base64 form shows in configuration, verdicts or representations."""
    shown = _public(compile_objects(inputs_of([SIGNED_IN, TOOL, secret])))
    assert CANARY not in shown
    assert ENCODED not in shown


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(_provider(auth=CANARY), id="auth"),
        pytest.param(_provider(auth={"apiKey": CANARY}), id="auth.apiKey"),
        pytest.param(_provider(auth={"apiKey": {"value": CANARY}}), id="auth.apiKey.value"),
        pytest.param(_provider(auth={"apiKey": {"secretKeyRef": CANARY}}), id="auth.apiKey.secretKeyRef"),
        pytest.param(_provider(auth={CANARY: {}}), id="a member of auth"),
        pytest.param(_provider(baseURL=f"https://me:{CANARY}@llm.example/v1"), id="baseURL"),
        pytest.param(_provider(baseURL=f"https://llm.example:{CANARY}/v1"), id="the port of baseURL"),
        pytest.param(_provider(headers={"set": {"Authorization": f"Bearer {CANARY}"}}), id="a header"),
        pytest.param(_provider(headers={"set": {"X-Key": f"{CANARY}\n"}}), id="a broken header"),
        pytest.param(_provider(headers=CANARY), id="headers"),
        pytest.param(_provider(models=CANARY), id="models"),
        pytest.param(_tool(auth=CANARY), id="a tool's auth"),
        pytest.param(_tool(auth={"bearer": CANARY}), id="a tool's auth.bearer"),
        pytest.param(_tool(headers={"Authorization": f"Bearer {CANARY}"}), id="a tool's header"),
        pytest.param(_tool(url=f"http://me:{CANARY}@h/"), id="a tool's url"),
        pytest.param(_tool(url=f"http://h:{CANARY}/"), id="the port of a tool's url"),
    ],
)
def test_a_key_pasted_into_the_wrong_field_is_not_repeated(given: dict[str, Any]) -> None:
    """The object's author sees where the mistake is, but a status or a log does not show the key."""
    assert CANARY not in _public(compile_objects(inputs_of([given])))


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        pytest.param(
            _provider(type="Bedrock", auth={"aws": {"region": "eu-west-1", "secretRef": {"name": "keys"}}}),
            "AWS_SECRET_ACCESS_KEY",
            id="aws",
        ),
        pytest.param(
            _provider(type="VertexAI", auth={"gcp": {"project": "p", "secretKeyRef": {"name": "keys", "key": "k"}}}),
            "k",
            id="gcp",
        ),
        pytest.param(
            _provider(
                type="AzureOpenAI",
                baseURL="https://me.openai.azure.com",
                auth={"azure": {"tenantId": "t", "clientId": "c", "clientSecretRef": {"name": "keys", "key": "k"}}},
            ),
            "k",
            id="azure",
        ),
    ],
)
@pytest.mark.parametrize(
    "value", [CANARY, f'{{"type": "service_account", "private_key": "{CANARY}"}}', f"{CANARY}\n{CANARY}", f"[{CANARY}"]
)
def test_no_byte_of_a_clouds_secret_gets_out(provider: dict[str, Any], key: str, value: str) -> None:
    """Whether it is what it should be or not."""
    compiled = compile_objects(inputs_of([provider, _secret(stringData={"AWS_ACCESS_KEY_ID": "AKID", key: value})]))
    assert CANARY not in _public(compiled)


def test_the_value_is_in_the_credentials() -> None:
    """Without the line break that an editor left at its end."""
    compiled = compile_objects(inputs_of([SIGNED_IN, _secret(stringData={"k": f"{CANARY}\n"})]))
    assert compiled.credentials.values == {"ai/keys/k": CANARY}


def test_a_rotated_secret_is_seen_by_its_version() -> None:
    """Configuration and digest change with the Secret's own version; nothing derived from its value is published."""
    first, second = (_compiled_with(resource_version=version) for version in ("7", "8"))
    assert first.config.providers["ai/p"].credential == CredentialRef(name="ai/keys/k", version="7")
    assert second.config.providers["ai/p"].credential == CredentialRef(name="ai/keys/k", version="8")
    assert first.config.revision != second.config.revision
    assert first.verdicts[0].digest != second.verdicts[0].digest


def test_a_secret_out_of_a_file_is_told_by_its_content() -> None:
    """There is no resourceVersion, and a changed key must be noticed all the same."""
    first, same, other = (
        compile_objects(inputs_of([SIGNED_IN, _secret(stringData={"k": key})])) for key in ("one", "one", "two")
    )
    assert first.config.revision == same.config.revision
    assert first.config.revision != other.config.revision


def _compiled_with(*, resource_version: str) -> Compiled:
    metadata = {"name": "keys", "namespace": "ai", "resourceVersion": resource_version}
    return compile_objects(inputs_of([SIGNED_IN, _secret(metadata=metadata, data={"k": ENCODED})]))
