"""Chat completions as a provider takes and gives them."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.failures.kinds import is_success, parsed
from understudy_proxy.dialects.openai.answers import classify, failure_in
from understudy_proxy.dialects.openai.persona import applied
from understudy_proxy.dialects.openai.quirks import quirks_of
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.dialects.openai.usage import read_usage
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import UpstreamFailure

PATH = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a whole answer turned out to be: a failure, or an answer with the usage it states."""

    failure: UpstreamFailure | None
    usage: Usage | None


def encode(chat: ChatRequest, candidate: Candidate, prompt: Prompt | None) -> bytes:
    """The body to send to `candidate`: the client's, but for the model's name, the prompt, and asking for usage.

    Usage is asked for whether or not the client wants to see it: tokens are to be counted. The body is written anew
    rather than patched: that is faster than finding the place, and a key that stood twice stands once, so that a
    provider cannot read another model than was chosen.

    Raises:
        RequestError: the body is nested too deeply to be written again.
    """
    body = dict(chat.body) if prompt is None else applied(prompt, chat.body)
    body["model"] = candidate.upstream_model
    if chat.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    quirks_of(candidate.upstream.type).apply(body)
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise RequestError("The body of the request is nested too deeply: at most 254 levels can be sent on.") from None


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Reading:
    """What a response that is not a stream says, in one parse. Header names are lower case."""
    if not is_success(status):
        return Reading(classify(status, headers, body), None)
    answer = parsed(body)
    failure = failure_in(answer, body, status=status, headers=headers)
    return Reading(failure, None if failure is not None else read_usage(answer))
