"""A persona's system prompt as a conversation has it: with its own values for the prompt's variables."""

from collections.abc import Mapping

from understudy_api.config import Prompt, PromptPiece
from understudy_proxy.dialects.request_error import RequestError

MAX_CHARACTERS = 262_144
"""Of a whole prompt: as many as one with its defaults may have."""


def written(prompt: Prompt, variables: Mapping[str, str]) -> str | None:
    """The prompt with `variables` in the place of their defaults. A value is not looked into again.

    Raises:
        RequestError: it becomes longer than `MAX_CHARACTERS`.
    """
    pieces = [piece for part in prompt.template for piece in part]
    if not any(piece.variable in variables for piece in pieces if piece.variable is not None):
        return prompt.system
    parts = [[_text(piece, variables) for piece in part] for part in prompt.template]
    # Before it is built: a short prompt can name a long value often.
    if sum(len(text) for part in parts for text in part) > MAX_CHARACTERS:
        raise RequestError(
            f"The values of 'context' make the persona's prompt longer than {MAX_CHARACTERS} characters: shorten them.",
            code="invalid_value",
            param="context",
        )
    return "\n\n".join(text for part in parts if (text := "".join(part))) or None


def _text(piece: PromptPiece, variables: Mapping[str, str]) -> str:
    return piece.text if piece.variable is None else variables.get(piece.variable, piece.text)
