"""The client side of OpenAI's older completions."""

from collections.abc import Mapping

from understudy_api.config import Dialect, Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.client import ChatClient
from understudy_proxy.dialects.interpretation import Call, Interpretation, Reading
from understudy_proxy.dialects.openai.completions.request import CompletionRequest, chat_of
from understudy_proxy.dialects.openai.completions.texts import TextEncoder, render
from understudy_proxy.dialects.openai.passing import read_answer
from understudy_proxy.dialects.openai.provider import CompletionTurn
from understudy_proxy.dialects.openai.quirks import quirks_of
from understudy_proxy.dialects.openai.stream import ChatStream
from understudy_proxy.dialects.persona import applied
from understudy_proxy.dialects.sse import CONTENT_TYPE
from understudy_proxy.dialects.translated import TranslatedChat

_PATH = "/completions"


class PassedText:
    """One request on its way to a provider with completions of its own."""

    __slots__ = ("_asked", "call")

    def __init__(self, asked: CompletionRequest, candidate: Candidate) -> None:
        """Make it ready to be sent; raises `RequestError` if the body is nested too deeply to be written again."""
        self._asked = asked
        body = asked.body | {"model": candidate.upstream_model}
        if asked.stream:
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        quirks_of(candidate.upstream.type).apply(body)
        self.call = Call(_PATH, written(body))
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a response that is not a stream says."""
        return read_answer(status, headers, body)

    def flow(self) -> ChatStream:
        """The reader of a stream that answers it."""
        return ChatStream(include_usage=self._asked.include_usage, choices=self._asked.choices)


def passed(asked: CompletionRequest, candidate: Candidate, prompt: Prompt | None) -> Interpretation:
    """The text as it is, or, where a persona has something to add to it, a chat.

    Raises:
        RequestError: the request is wrong.
        Unsupported: a persona's chat cannot say it.
    """
    if prompt is None:
        return PassedText(asked, candidate)
    return TranslatedChat(asked, COMPLETIONS, CompletionTurn(applied(prompt, chat_of(asked)), candidate))


COMPLETIONS: ChatClient[CompletionRequest] = ChatClient(
    stream_type=CONTENT_TYPE,
    chat=chat_of,
    answer=render,
    encoder=TextEncoder.of,
    passing={Dialect.OPENAI: passed},
)
