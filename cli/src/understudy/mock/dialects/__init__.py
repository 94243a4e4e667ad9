"""The wire formats a mock speaks, all behind `Dialect`: one module a form of request and answer.

A dialect only reads and encodes. What is answered is decided in `replies`, what goes wrong in `delivery`.
"""

from understudy.mock.dialects.anthropic import Anthropic
from understudy.mock.dialects.azure import Azure, AzureChat
from understudy.mock.dialects.bedrock import Bedrock
from understudy.mock.dialects.completions import Completions
from understudy.mock.dialects.dialect import Dialect, Head, Stamp
from understudy.mock.dialects.gemini import Gemini, Vertex
from understudy.mock.dialects.llamacpp import LlamaCpp, LlamaCppCompletions
from understudy.mock.dialects.ollama import Ollama
from understudy.mock.dialects.openai import OpenAI
from understudy.mock.dialects.responses import Responses
from understudy.mock.dialects.vllm import Vllm, VllmCompletions

DIALECTS: dict[str, tuple[Dialect, ...]] = {
    "anthropic": (Anthropic(),),
    "bedrock": (Bedrock(),),
    "azure": (Azure(Responses()), Azure(Completions()), AzureChat(OpenAI())),
    "gemini": (Gemini(), Vertex()),
    "ollama": (Ollama(),),
    "llamacpp": (LlamaCppCompletions(), LlamaCpp()),
    "vllm": (VllmCompletions(), Vllm()),
    "openai": (Responses(), Completions(), OpenAI()),
}
"""By the name that `--dialect` takes, the forms of each.

The first form that knows a path gets the request, over all dialects; so those come last that are the least picky.
The last of all answers where none knows it.
"""

TOGETHER = tuple(name for name in DIALECTS if name not in {"llamacpp", "vllm"})
"""Those that a mock speaks all at once: the other ones have the paths of OpenAI."""

__all__ = ["DIALECTS", "TOGETHER", "Dialect", "Head", "Stamp"]
