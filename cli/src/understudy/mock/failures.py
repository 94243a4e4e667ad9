"""Refusals, whatever wire format they leave in.

A dialect turns a failure into its own body; the message follows the vendors' wording, because gateways and
clients recognise some failures by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """What went wrong, as far as an error body can tell."""

    BAD_REQUEST = "bad_request"
    BAD_KEY = "bad_key"
    BILLING = "billing"
    FORBIDDEN = "forbidden"
    MODEL_NOT_FOUND = "model_not_found"
    PATH_NOT_FOUND = "path_not_found"
    WRONG_METHOD = "wrong_method"
    TOO_LARGE = "too_large"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    CONTEXT = "context"
    FILTER = "filter"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Failure:
    """One refusal.

    Attributes:
        kind: What went wrong.
        status: The HTTP status.
        message: What a person reads.
        param: The field at fault, if there is one.
        code: The vendor's own code, where the kind does not say it.
        retry: When to come back, by the names of response headers (`retry-after`, `retry-after-ms`) as a script has
            them. A dialect says it as its vendor does.
    """

    kind: FailureKind
    status: int
    message: str
    param: str | None = None
    code: str | None = None
    retry: tuple[tuple[str, str], ...] = ()


class RefusedError(Exception):
    """A request that the mock itself cannot accept; carries the failure to answer with."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> RefusedError:
    """The refusal of a request that is not well formed."""
    return RefusedError(Failure(FailureKind.BAD_REQUEST, 400, message, param, code))


# Words that a script may use where a status alone would not say which of several errors is meant.
NAMED = {"quota": 429, "context": 400, "filter": 400}

_BY_NAME: dict[str, tuple[FailureKind, str]] = {
    "quota": (
        FailureKind.QUOTA,
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "context": (
        FailureKind.CONTEXT,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    ),
    "filter": (
        FailureKind.FILTER,
        "Your request was rejected because it may violate our content policy.",
    ),
    "400": (FailureKind.BAD_REQUEST, "Scripted by the mock: the request is invalid."),
    "401": (FailureKind.BAD_KEY, "Incorrect API key provided. Scripted by the mock."),
    "402": (FailureKind.BILLING, "Insufficient balance."),
    "403": (FailureKind.FORBIDDEN, "You are not allowed to use the model `{model}`."),
    "404": (
        FailureKind.MODEL_NOT_FOUND,
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "413": (FailureKind.TOO_LARGE, "The request is too large."),
    "429": (FailureKind.RATE_LIMIT, "Rate limit reached for {model}. Please try again later."),
    "500": (FailureKind.SERVER_ERROR, "The server had an error while processing your request."),
    "502": (FailureKind.SERVER_ERROR, "Bad gateway."),
    "503": (FailureKind.OVERLOADED, "The engine is currently overloaded, please try again later."),
    "504": (FailureKind.SERVER_ERROR, "Gateway timeout."),
    "529": (FailureKind.OVERLOADED, "Overloaded."),
}


def scripted(error: str, *, model: str, words: Mapping[FailureKind, str] | None = None) -> Failure:
    """The failure that `error`, a status code or a word of `NAMED`, stands for.

    `words` are a vendor's own, where they are not OpenAI's; `{model}` stands for the model. A status outside the
    table keeps its number and says that it was scripted.
    """
    status = NAMED[error] if error in NAMED else int(error)
    kind, message = _BY_NAME.get(error, (_kind_of(status), f"Scripted by the mock: status {status}."))
    if error in _BY_NAME and words:
        message = words.get(kind, message)
    return Failure(kind, status, message.replace("{model}", model))


def _kind_of(status: int) -> FailureKind:
    return FailureKind.SERVER_ERROR if status >= 500 else FailureKind.OTHER
