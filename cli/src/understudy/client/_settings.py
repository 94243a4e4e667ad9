"""Where the gateway is and how it is asked: what the caller says, else the environment, else what is usual.

`LLM_GATEWAY_URL`, `LLM_GATEWAY_TIMEOUT` (seconds), `LLM_GATEWAY_RETRIES` and `LLM_GATEWAY_API_KEY`. In a cluster, which
is told by Kubernetes' own KUBERNETES_SERVICE_HOST, the usual address is the chart's Service.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from understudy.client._credentials import PROJECTED_TOKEN, ApiKey, Credential, TokenFile, is_header_safe
from understudy.client._errors import ConfigurationError

IN_CLUSTER_URL = "http://understudy.understudy.svc"
"""Release and namespace `understudy`, as the documentation installs the chart."""
LOCAL_URL = "http://localhost:8080"
TIMEOUT_SECONDS = 600.0
"""As the vendors' own SDKs: a thinking model is silent for minutes."""
RETRIES = 2

_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class Settings:
    """A client's configuration; `url` is without `/v1` and without a slash at its end."""

    url: str
    timeout: float
    retries: int
    credential: Credential = field(repr=False)

    @classmethod
    def read(
        cls,
        environment: Mapping[str, str],
        *,
        url: str | None = None,
        api_key: str | None = None,
        token_file: str | None = None,
        timeout: float | None = None,
        retries: int | None = None,
    ) -> "Settings":
        """What is given wins over the environment; api_key="" says that there is no credential.

        Raises:
            ConfigurationError: a value that cannot be one; the message names it, and never quotes a key.
        """
        return cls(
            url=_base(url or _said(environment, "LLM_GATEWAY_URL") or _usual_url(environment)),
            timeout=_seconds(environment) if timeout is None else _positive(timeout, "timeout"),
            retries=_retries(environment) if retries is None else _count(retries, "retries"),
            credential=_credential(environment, api_key=api_key, token_file=token_file),
        )


def _base(url: str) -> str:
    """OpenAI's SDKs take the address with /v1, so that people have it in that form, too."""
    text = url.strip()
    if not _URL.fullmatch(text):
        raise ConfigurationError("the gateway's URL must be http:// or https://, without user, query and fragment")
    return text.rstrip("/").removesuffix("/v1").rstrip("/")


def _usual_url(environment: Mapping[str, str]) -> str:
    return IN_CLUSTER_URL if _said(environment, "KUBERNETES_SERVICE_HOST") else LOCAL_URL


def _seconds(environment: Mapping[str, str]) -> float:
    text = _said(environment, "LLM_GATEWAY_TIMEOUT")
    try:
        return _positive(float(text), "LLM_GATEWAY_TIMEOUT") if text else TIMEOUT_SECONDS
    except ValueError:
        raise ConfigurationError(f"LLM_GATEWAY_TIMEOUT must be seconds, such as 30, and is {text!r}") from None


def _retries(environment: Mapping[str, str]) -> int:
    text = _said(environment, "LLM_GATEWAY_RETRIES")
    try:
        return _count(int(text), "LLM_GATEWAY_RETRIES") if text else RETRIES
    except ValueError:
        raise ConfigurationError(f"LLM_GATEWAY_RETRIES must be a whole number, and is {text!r}") from None


def _positive(seconds: float, name: str) -> float:
    if not (isfinite(seconds) and seconds > 0):
        raise ConfigurationError(f"{name} must be more than 0 seconds, and is {seconds:g}")
    return seconds


def _count(number: int, name: str) -> int:
    if not 0 <= number <= 20:
        raise ConfigurationError(f"{name} must be from 0 to 20, and is {number}")
    return number


def _credential(environment: Mapping[str, str], *, api_key: str | None, token_file: str | None) -> Credential:
    if api_key is not None and token_file is not None:
        raise ConfigurationError("api_key and token_file exclude each other")
    if token_file is not None:
        return TokenFile(token_file)
    key = _said(environment, "LLM_GATEWAY_API_KEY") if api_key is None else api_key.strip()
    if not is_header_safe(key):
        raise ConfigurationError("the API key holds characters that no header can carry")
    if not key and api_key is None and Path(PROJECTED_TOKEN).exists():
        return TokenFile(PROJECTED_TOKEN)
    return ApiKey(key)


def _said(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip()
