"""Providers of each dialect, which a mock can stand for: a mock speaks them all, told apart by path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from harness.callers import CALLERS
from harness.gateways import ALL, provider
from understudy_api.config import AuthHeader, Capability, Dialect, Provider, ProviderModel


@dataclass(frozen=True, slots=True)
class Vendor:
    """One dialect of providers.

    Attributes:
        dialect: What it speaks.
        type: `spec.type` of its objects.
        model: What its model is called there; `m` here.
        path: What a base URL has after the address.
        auth_header: What carries the key.
        counts: The tokens it tells.
        refusals: Whether a refusal has words.
        filters: Whether a refusal is told apart from an answer by how it ends.
    """

    dialect: Dialect
    type: str
    model: str
    path: str = ""
    auth_header: AuthHeader = AuthHeader.AUTHORIZATION
    counts: frozenset[str] = frozenset({"input", "output", "cached", "written", "reasoning"})
    refusals: bool = True
    filters: bool = False

    def whole(self, path: str, body: bytes) -> tuple[str, bytes]:
        """The request for a whole answer that is otherwise the one of this path and body."""
        if self.dialect not in {Dialect.GEMINI, Dialect.BEDROCK}:
            asked = {name: value for name, value in orjson.loads(body).items() if name != "stream_options"}
            body = orjson.dumps(asked | {"stream": False})
        path = path.partition("?")[0].replace(":streamGenerateContent", ":generateContent")
        return path.replace("/converse-stream", "/converse"), body

    def usage(self, answer: Any) -> dict[str, int]:
        """The tokens that a whole answer states."""
        if self.dialect is Dialect.BEDROCK:
            return bedrock_usage(answer["usage"])
        read = CALLERS[self.dialect.value].read(answer)
        assert read.usage is not None
        return dict(read.usage)

    def provider(
        self,
        name: str,
        url: str,
        *,
        model: str | None = None,
        capabilities: Iterable[Capability] = ALL,
        window: int | None = None,
        **fields: Any,
    ) -> Provider:
        """A provider `default/NAME` at `url` with the one model `m`, which is called `model` there."""
        made = ProviderModel(
            upstream_name=model or self.model, capabilities=frozenset(capabilities), context_window=window
        )
        changed = {
            "type": self.type,
            "dialect": self.dialect,
            "base_url": f"{url}{self.path}",
            "auth_header": self.auth_header,
            "models": {"m": made},
        }
        return provider(name, url, **fields).model_copy(update=changed)


def bedrock_usage(stated: Mapping[str, int]) -> dict[str, int]:
    """What a Converse answer states: the input is what no cache had or got, and thoughts are not told apart."""
    cached, written = stated.get("cacheReadInputTokens", 0), stated.get("cacheWriteInputTokens", 0)
    return {
        "input": stated["inputTokens"] + cached + written,
        "output": stated["outputTokens"],
        "cached": cached,
        "written": written,
    }


VENDORS: Mapping[str, Vendor] = {
    "openai": Vendor(Dialect.OPENAI, "OpenAICompatible", "gpt-oss", "/v1"),
    "anthropic": Vendor(
        Dialect.ANTHROPIC, "Anthropic", "claude-sonnet-4-5", auth_header=AuthHeader.X_API_KEY, filters=True
    ),
    "gemini": Vendor(
        Dialect.GEMINI,
        "Gemini",
        "gemini-3-flash",
        "/v1beta",
        AuthHeader.X_GOOG_API_KEY,
        frozenset({"input", "output", "cached", "reasoning"}),
        refusals=False,
        filters=True,
    ),
    "bedrock": Vendor(
        Dialect.BEDROCK,
        "Bedrock",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        counts=frozenset({"input", "output", "cached", "written"}),
        filters=True,
    ),
    "ollama": Vendor(Dialect.OLLAMA, "Ollama", "llama3.2", counts=frozenset({"input", "output"})),
}
"""Each, by its dialect."""
