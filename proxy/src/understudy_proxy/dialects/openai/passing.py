"""OpenAI's dialect on both sides: the request passes but for the model's name, the answer as it is."""

from collections.abc import Mapping

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.failures.kinds import is_success, parsed
from understudy_proxy.dialects.interpretation import Call, Reading
from understudy_proxy.dialects.openai import foreign
from understudy_proxy.dialects.openai.answers import classify, failure_in
from understudy_proxy.dialects.openai.encode import left_out
from understudy_proxy.dialects.openai.fitting import fitted
from understudy_proxy.dialects.openai.persona import applied
from understudy_proxy.dialects.openai.quirks import quirks_of
from understudy_proxy.dialects.openai.reasoning import reasons
from understudy_proxy.dialects.openai.request import ChatRequest
from understudy_proxy.dialects.openai.stream import ChatStream
from understudy_proxy.dialects.openai.usage import read_usage

PATH = "/chat/completions"


class PassedChat:
    """One request on its way to one provider."""

    __slots__ = ("_asked", "call")

    def __init__(self, asked: ChatRequest, candidate: Candidate, prompt: Prompt | None) -> None:
        """Make it ready to be sent.

        Raises:
            RequestError: the body is nested too deeply to be written again.
        """
        self._asked = asked
        self.call = sending(asked, candidate, prompt)
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a response that is not a stream says, in one parse. Header names are lower case."""
        return read_answer(status, headers, body)

    def flow(self) -> ChatStream:
        """The reader of a stream that answers it."""
        return ChatStream(include_usage=self._asked.include_usage, choices=self._asked.choices)


def sending(chat: ChatRequest, candidate: Candidate, prompt: Prompt | None) -> Call:
    """What to send to `candidate`: the client's body, but for the model's name, the prompt, and asking for usage.

    Usage is asked for whether or not the client wants to see it: tokens are to be counted. The body is written anew
    rather than patched: that is faster than finding the place, and a key that stood twice stands once, so that a
    provider cannot read another model than was chosen. What the provider would refuse is made fit.

    Raises:
        RequestError: the body is nested too deeply to be written again.
    """
    body = dict(chat.body) if prompt is None else applied(prompt, chat.body)
    body["model"] = candidate.upstream_model
    if chat.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    quirks = quirks_of(candidate.upstream.type)
    warnings = [left_out(name) for name in sorted(quirks.refuses & body.keys()) if body[name] is not None]
    if quirks.refuses:
        body = fitted(body, quirks)
    quirks.apply(body)
    if "max_tokens" in body and reasons(candidate, quirks):
        # They refuse the older name, and who asks for a model by another name cannot know.
        limit = body.pop("max_tokens")
        if body.get(quirks.max_tokens) is None:
            body[quirks.max_tokens] = limit
    sent = written(body)
    if foreign.is_in(sent, quirks):
        sent = written(foreign.without(body, quirks))
    return Call(PATH, sent, warnings=tuple(warnings))


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Reading:
    """What a response that is not a stream says, in one parse. Header names are lower case."""
    if not is_success(status):
        return Reading(classify(status, headers, body))
    answer = parsed(body)
    failure = failure_in(answer, body, status=status, headers=headers)
    return Reading(failure) if failure is not None else Reading(None, read_usage(answer), body)
