"""Chat completions as a provider takes and gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.openai.failures import classify, failure_in, is_success, parsed
from understudy_proxy.dialects.openai.persona import applied
from understudy_proxy.dialects.openai.quirks import quirks_of
from understudy_proxy.dialects.openai.request import ChatRequest, RequestError
from understudy_proxy.dialects.openai.usage import read_usage
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.exchange.failure import UpstreamFailure

PATH = "/chat/completions"

_MODEL = b'"model"'
_MODEL_VALUE = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
_METERED = b',"stream_options":{"include_usage":true}'


@dataclass(frozen=True, slots=True)
class Reading:
    """What a whole answer turned out to be: a failure, or an answer with the usage it states."""

    failure: UpstreamFailure | None
    usage: Usage | None


def encode(chat: ChatRequest, candidate: Candidate, prompt: Prompt | None) -> bytes:
    """The body to send to `candidate`: the client's, but for the model's name, the prompt, and asking for usage.

    Raises:
        RequestError: the body is nested too deeply to be written again.
    """
    quirks = quirks_of(candidate.upstream.type)
    if prompt is None and not quirks.touch(chat.body):
        spliced = _spliced(chat, candidate.upstream_model, metered=chat.stream and quirks.takes_stream_options)
        if spliced is not None:
            return spliced
    body = dict(chat.body) if prompt is None else applied(prompt, chat.body)
    body["model"] = candidate.upstream_model
    if chat.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    quirks.apply(body)
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


def _spliced(chat: ChatRequest, upstream_model: str, *, metered: bool) -> bytes | None:
    r"""The client's bytes with another model name in them; None where that is not certain to be right.

    The parsed body has the key, so where its spelling stands once and nothing is spelled in `\u` escapes, that one
    place is the key and no text or deeper key is. Usage is asked for whether or not the client wants to see it: tokens
    are to be counted.
    """
    raw = chat.raw
    if raw.count(_MODEL) != 1 or b"\\u" in raw:
        return None
    addition = b""
    if metered and not chat.include_usage:
        if "stream_options" in chat.body:
            return None
        addition = _METERED
    if not addition and upstream_model == chat.model:
        return raw
    value = _MODEL_VALUE.search(raw)
    if value is None:
        return None
    return b"".join((raw[: value.start(1)], orjson.dumps(upstream_model), addition, raw[value.end(1) :]))
