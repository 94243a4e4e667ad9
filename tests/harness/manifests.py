"""Small objects of the four kinds, for tests that care about what becomes of them and not about what they say."""

from base64 import b64encode
from typing import Any

Manifest = dict[str, Any]


def secret(name: str, *, namespace: str, **values: str) -> Manifest:
    """A Secret."""
    data = {key: b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


def provider(name: str, *, namespace: str, secret_name: str = "", **spec: Any) -> Manifest:
    """An OpenAI-compatible LLMProvider that serves `small`; with a key from `key` of a Secret, if named."""
    auth = {"auth": {"apiKey": {"secretKeyRef": {"name": secret_name, "key": "key"}}}} if secret_name else {}
    return _object(
        "LLMProvider",
        name,
        namespace=namespace,
        spec={
            "type": "OpenAICompatible",
            "baseURL": "http://127.0.0.1:9/v1",
            "models": [{"name": "small", "capabilities": ["Chat", "Streaming"]}],
            **auth,
            **spec,
        },
    )


def route(name: str, *, namespace: str, providers: tuple[str, ...] = ("main",), **spec: Any) -> Manifest:
    """An LLMRoute to `small` at each provider."""
    backends = [{"providerRef": {"name": each}, "model": "small"} for each in providers]
    return _object("LLMRoute", name, namespace=namespace, spec={"rules": [{"backends": backends}], **spec})


def tool(name: str, *, namespace: str, **http: Any) -> Manifest:
    """A tool whose handler has these fields."""
    return _object("LLMTool", name, namespace=namespace, spec={"description": "Does it.", "handler": {"http": http}})


def _object(kind: str, name: str, *, namespace: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "understudy.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
