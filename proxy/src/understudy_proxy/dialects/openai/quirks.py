"""Where a provider that speaks this dialect differs from OpenAI in what it takes.

Of a request that passes through only what makes it fail is changed; everything else is between the client and the
provider. A request that is translated is made for the provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Prefill(StrEnum):
    """How a provider is told to go on with an answer that the conversation ends in."""

    UNTOLD = "untold"
    """It does so by itself, or never."""
    MARKED = "prefix"
    """The message is marked as the beginning of the answer."""
    TEMPLATE = "continue_final_message"
    """The chat template is told not to begin another one."""


class Thought(StrEnum):
    """How a provider is told how hard to think."""

    EFFORT = "reasoning_effort"
    OBJECT = "reasoning"
    """OpenRouter's, with an effort or a budget."""
    SWITCH = "thinking"
    """DeepSeek's: on or off."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """How the requests of one type of provider differ."""

    takes_stream_options: bool = True
    """False: it refuses the field, and states usage in streams without being asked."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Its names for OpenAI's fields, whoever's request it is."""
    refuses: frozenset[str] = frozenset()
    """Fields for which it refuses a request, whoever's it is, and which can be left out."""
    short_ids: bool = False
    """Ids of calls are nine letters and digits."""
    is_openai: bool = False
    """OpenAI's own models: those that reason refuse what steers the drawing of tokens."""
    is_strict: bool = False
    """It refuses fields of messages that it does not know."""
    max_tokens: str = "max_tokens"
    unknown: frozenset[str] = frozenset({"top_k", "service_tier"})
    """What it refuses or ignores of what the canonical form can say, by the name of the field."""
    knows: frozenset[str] = frozenset()
    """What it takes beyond the canonical form."""
    thought: Thought = Thought.EFFORT
    said_thought: str | None = None
    """The field in which it wants an answer's reasoning back; None: it does not want it."""
    needs_thought: bool = False
    """It refuses the tool calls of an answer without reasoning."""
    prefill: Prefill = Prefill.UNTOLD
    takes_files: bool = False
    takes_cache_marks: bool = False
    required: str = "required"
    """The word for `tool_choice` by which some tool must be called."""
    names_tools: bool = True
    """A tool that must be called can be named; else it is the only one that is declared."""
    stops: int | None = None
    """How many stop sequences it takes; None: nobody has said."""

    def apply(self, body: dict[str, Any]) -> None:
        """Change `body` into what the provider takes."""
        if not self.takes_stream_options:
            body.pop("stream_options", None)
        for name, its_name in self.renamed.items():
            value = body.pop(name, None)
            if value is not None:
                body[its_name] = value


_OPENAI = Quirks(
    is_openai=True,
    is_strict=True,
    max_tokens="max_completion_tokens",
    unknown=frozenset({"top_k"}),
    knows=frozenset(
        {
            "metadata",
            "moderation",
            "prediction",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "store",
            "verbosity",
        }
    ),
    takes_files=True,
    stops=4,
)
_SAMPLERS = frozenset({"min_p", "repetition_penalty"})
_DEFAULT = Quirks()
_BY_TYPE = {
    "OpenAI": _OPENAI,
    "AzureOpenAI": _OPENAI,
    "OpenAICompatible": Quirks(takes_files=True),
    "Mistral": Quirks(
        # It answers 422 "Extra inputs are not permitted" to each of these.
        is_strict=True,
        takes_stream_options=False,
        renamed={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
        refuses=frozenset({"logit_bias", "safety_identifier", "service_tier", "store", "user", "verbosity"}),
        short_ids=True,
        unknown=frozenset(
            {"top_k", "logit_bias", "logprobs", "top_logprobs", "user", "service_tier", Thought.EFFORT.value}
        ),
        knows=frozenset({"safe_prompt", "prompt_mode", "prediction"}),
        prefill=Prefill.MARKED,
        required="any",
        names_tools=False,
    ),
    "DeepSeek": Quirks(
        renamed={"max_completion_tokens": "max_tokens"},
        unknown=frozenset({"top_k", "n", "logit_bias", "seed", "user", "service_tier", "parallel_tool_calls"}),
        thought=Thought.SWITCH,
        said_thought="reasoning_content",
        needs_thought=True,
        prefill=Prefill.MARKED,
    ),
    "Groq": Quirks(
        is_strict=True,
        max_tokens="max_completion_tokens",
        unknown=frozenset({"top_k", "n", "logit_bias", "logprobs", "top_logprobs", "service_tier"}),
        stops=4,
    ),
    "OpenRouter": Quirks(
        unknown=frozenset({"service_tier"}),
        knows=_SAMPLERS | {"provider", "models", "route", "transforms", "plugins", "verbosity"},
        thought=Thought.OBJECT,
        said_thought="reasoning",
        takes_files=True,
        takes_cache_marks=True,
    ),
    "VLLM": Quirks(
        unknown=frozenset({"service_tier"}),
        knows=_SAMPLERS | {"chat_template_kwargs", "ignore_eos", "min_tokens", "priority", "stop_token_ids"},
        prefill=Prefill.TEMPLATE,
    ),
    "LlamaCpp": Quirks(
        unknown=frozenset({"service_tier"}),
        knows=frozenset({"min_p", "grammar", "cache_prompt", "chat_template_kwargs"}),
        said_thought="reasoning_content",
    ),
}


def quirks_of(provider_type: str) -> Quirks:
    """The quirks of a provider type, as users spell it."""
    return _BY_TYPE.get(provider_type, _DEFAULT)
