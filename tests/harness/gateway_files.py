"""YAML as people write it, for gateways that run from files."""

from pathlib import Path

PROVIDER = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: {name}}}
spec:
  type: OpenAICompatible
  baseURL: {url}/v1
  models: [{{name: m}}]
  {auth}
"""

ROUTE = """\
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata:
  name: {name}
spec:
  rules:
    - backends:
        - providerRef: {{name: {provider}}}
          model: m
"""

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {{name: {name}}}
stringData:
  key: {value}
"""


def provider(name: str, url: str, *, secret: str = "") -> str:
    """An LLMProvider that serves `m`; with the `key` of a Secret, if named."""
    auth = f"auth: {{apiKey: {{secretKeyRef: {{name: {secret}, key: key}}}}}}" if secret else ""
    return PROVIDER.format(name=name, url=url, auth=auth)


def route(provider_name: str, *, name: str = "chat") -> str:
    """An LLMRoute to `m` at one provider."""
    return ROUTE.format(name=name, provider=provider_name)


def secret(name: str, value: str) -> str:
    """A Secret with the key `key`."""
    return SECRET.format(name=name, value=value)


def write(folder: Path, **files: str) -> Path:
    """Write `NAME.yaml` for each name, and return the folder."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder
