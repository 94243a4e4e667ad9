"""How each family of clients says what all of them say: finish reasons and exceptions."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a family of clients says what all of them say.

    Attributes:
        done: The finish reason of an answer that is whole.
        called: The finish reason of an answer that calls tools.
        refused: The exception for an answer with status 503.
        rejected: The exception for an answer with status 400.
        limited: The exception for an answer with status 429.
        hinted: Whether that exception knows when to come back.
        broken: The exception for a stream that breaks off.
        ids: Whether tool calls have ids.
    """

    done: str
    called: str
    refused: str
    rejected: str
    limited: str
    broken: str
    ids: bool = True
    hinted: bool = True


OPENAI = Words(
    done="stop",
    called="tool_calls",
    refused="InternalServerError",
    rejected="BadRequestError",
    limited="RateLimitError",
    broken="APIError",
)
RESPONSES = replace(OPENAI, done="completed", called="completed", broken="OpenAIError")
LITELLM = replace(OPENAI, refused="ServiceUnavailableError")
ANTHROPIC = Words(
    done="end_turn",
    called="tool_use",
    refused="InternalServerError",
    rejected="BadRequestError",
    limited="RateLimitError",
    broken="APIStatusError",
)
GOOGLE = Words(
    done="STOP", called="STOP", refused="ServerError", rejected="ClientError", limited="ClientError", broken="APIError"
)
OLLAMA = Words(
    done="stop",
    called="stop",
    refused="ResponseError",
    rejected="ResponseError",
    limited="ResponseError",
    broken="ResponseError",
    ids=False,
    hinted=False,
)
BEDROCK = Words(
    done="end_turn",
    called="tool_use",
    refused="ServiceUnavailableException",
    rejected="ValidationException",
    limited="ThrottlingException",
    broken="EventStreamError",
)
