"""A client of each dialect, without its vendor's library: every byte of its answer can be looked at."""

from collections.abc import Mapping

from harness.callers.anthropic import Anthropic
from harness.callers.caller import Caller
from harness.callers.gemini import Gemini
from harness.callers.ollama import Ollama
from harness.callers.openai import OpenAI

CALLERS: Mapping[str, Caller] = {
    "openai": OpenAI(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "ollama": Ollama(),
}
"""Each, by its dialect."""
