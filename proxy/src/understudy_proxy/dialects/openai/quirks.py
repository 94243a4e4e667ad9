"""Where a provider that speaks this dialect differs from OpenAI in what it takes.

Only what makes a request fail that OpenAI would answer; everything else is between the client and the provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Quirks:
    """How the requests of one type of provider differ."""

    takes_stream_options: bool = True
    """False: it refuses the field, and states usage in streams without being asked."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Its names for OpenAI's fields."""

    def apply(self, body: dict[str, Any]) -> None:
        """Change `body` into what the provider takes."""
        if not self.takes_stream_options:
            body.pop("stream_options", None)
        for name, its_name in self.renamed.items():
            value = body.pop(name, None)
            if value is not None:
                body[its_name] = value


NONE = Quirks()
_BY_TYPE = {
    # It answers 422 "Extra inputs are not permitted" to each of these.
    "Mistral": Quirks(
        takes_stream_options=False, renamed={"max_completion_tokens": "max_tokens", "seed": "random_seed"}
    ),
}


def quirks_of(provider_type: str) -> Quirks:
    """The quirks of a provider type, as users spell it."""
    return _BY_TYPE.get(provider_type, NONE)
