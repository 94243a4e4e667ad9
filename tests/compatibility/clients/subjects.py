"""What every client is made to ask about: the tools it offers, the picture it sends. Nothing here needs an SDK."""

from dataclasses import dataclass
from typing import Any

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="  # one red pixel
)
"""A picture in base64."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call.

    Attributes:
        name: Its name.
        description: What it does, for the model.
        argument: The name of its one argument, a string.
        result: What it returns.
    """

    name: str
    description: str
    argument: str
    result: str

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        return {
            "type": "object",
            "properties": {self.argument: {"type": "string"}},
            "required": [self.argument],
            "additionalProperties": False,
        }

    def function(self) -> dict[str, Any]:
        """The declaration that OpenAI's SDKs, and those that follow them, take."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.parameters},
        }


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("get_weather", "Tells the weather in a city.", "city", "22 °C and sunny"),
        Tool("get_time", "Tells the time in a zone.", "zone", "a quarter past nine"),
    )
}
"""The tools, by name."""

TEXTS = ("a dress rehearsal", "opening night")
"""What is to be embedded."""
