"""A first request to a mock, for each dialect: what a person pastes into a shell to see it answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any
from urllib.parse import quote as quote_path

_HELLO = [{"role": "user", "content": "Hello"}]
_CONTENT_TYPE = "content-type: application/json"


@dataclass(frozen=True, slots=True)
class Sample:
    """A request for a chat.

    Attributes:
        base: What follows the address in the base URL that a client of this dialect wants.
        path: The path after it; `MODEL` stands for the model.
        body: The body, without a model.
        key: The header that brings a key; `KEY` stands for it.
        headers: Other headers it needs.
        names_model: Whether the model is in the body.
    """

    base: str
    path: str
    body: Mapping[str, Any]
    key: str = "authorization: Bearer KEY"
    headers: tuple[str, ...] = ()
    names_model: bool = True


_OPENAI = Sample("/v1", "/chat/completions", {"messages": _HELLO})
_SAMPLES = {
    "anthropic": Sample(
        "",
        "/v1/messages",
        {"max_tokens": 100, "messages": _HELLO},
        key="x-api-key: KEY",
        headers=("anthropic-version: 2023-06-01",),
    ),
    "azure": Sample("/openai/v1", "/chat/completions", {"messages": _HELLO}, key="api-key: KEY"),
    "bedrock": Sample(
        "", "/model/MODEL/converse", {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}, names_model=False
    ),
    "gemini": Sample(
        "",
        "/v1beta/models/MODEL:generateContent",
        {"contents": [{"parts": [{"text": "Hello"}]}]},
        key="x-goog-api-key: KEY",
        names_model=False,
    ),
    "ollama": Sample("", "/api/chat", {"messages": _HELLO, "stream": False}),
}


def base_url(url: str, dialect: str) -> str:
    """Return the base URL that a client of `dialect` wants of the mock at `url`."""
    return url + _sample(dialect).base


def curl(url: str, dialect: str, *, model: str, with_key: bool) -> str:
    """Return a command that asks the mock at `url` for a chat."""
    sample = _sample(dialect)
    body = {"model": model, **sample.body} if sample.names_model else sample.body
    headers = (_CONTENT_TYPE, *sample.headers, *([sample.key] if with_key else ()))
    told = "".join(f" -H {quote(header)}" for header in headers)
    path = sample.path.replace("MODEL", quote_path(model, safe=""))
    return f"curl {base_url(url, dialect)}{path}{told} -d {quote(json.dumps(body))}"


def _sample(dialect: str) -> Sample:
    """Return the sample of a dialect; those without one of their own speak as OpenAI does."""
    return _SAMPLES.get(dialect, _OPENAI)
