"""Chat completions as a provider takes and gives them."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import UpstreamFailure

PATH = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a whole answer turned out to be: a failure, or an answer with the usage it states."""

    failure: UpstreamFailure | None
    usage: Usage | None


def encode(chat: ChatRequest, candidate: Candidate, prompt: Prompt | None) -> bytes:
    """The body to send to `candidate`.

    Raises:
        RequestError: the body cannot be written again.
    """
    raise NotImplementedError


def classify(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure | None:
    """What a response says that is not a stream: None for an answer. Header names are lower case."""
    raise NotImplementedError


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Reading:
    """`classify` and the usage, in one parse."""
    raise NotImplementedError
