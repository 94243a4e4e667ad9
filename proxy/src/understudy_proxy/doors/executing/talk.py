"""One conversation whose tools the gateway runs: what both ways of answering it, whole and in a stream, begin with."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Runtime, RuntimeTool
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message
from understudy_proxy.dialects.fields import invalid
from understudy_proxy.dialects.persona import applied
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.doors.door import Refused
from understudy_proxy.doors.headers import tool_calls_header
from understudy_proxy.doors.model_calls import Addressee
from understudy_proxy.doors.refusing import bad_request
from understudy_proxy.rounds.decide import Functions
from understudy_proxy.rounds.progress import Bounds, Progress

_log = logging.getLogger(__name__)
_SHOULD_RETRY = "x-should-retry"
NO_ANSWER = "no_answer"
"""The code of a refusal whose model would not stop calling tools."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What does not change from round to round, and how far it is."""

    to: Addressee
    asked: Addressee
    """The same without what its persona adds, which is in the conversation already: another `tool_choice` than the
    persona's may be due later on."""
    tools: Mapping[str, RuntimeTool]
    """Those that can be run, by the names of their functions."""
    functions: Functions
    last_words_only: bool
    """The answer has to be JSON."""
    deadline: float
    """For tools, in monotonic seconds."""
    client_messages: tuple[Message, ...]
    """The conversation as the client knows it."""
    progress: Progress

    def mark(self, refused: Refused) -> None:
        """Say of a refusal in the middle what was run: SDKs would ask again by themselves, and have it run again."""
        executed = self.progress.executed
        if executed:
            refused.message += f" The gateway had run {executed} call(s) of tools by then; asking again repeats them."
            others = (header for header in refused.headers if header[0] != _SHOULD_RETRY)
            refused.headers = (*others, (_SHOULD_RETRY, "false"), *tool_calls_header(executed))

    def unanswered(self) -> Refused:
        """The model has done nothing but call tools."""
        refused = Refused(
            502,
            "The model called tools again and again, also when it was asked for an answer without. A higher "
            "spec.tools.maxIterations or spec.tools.timeout of the persona gives it more rounds.",
            type="upstream_error",
            code=NO_ANSWER,
            reason=NO_ANSWER,
        )
        self.mark(refused)
        _log.warning(
            "a model only calls tools", extra={"route": self.to.target.label, "tool_calls": self.progress.executed}
        )
        return refused


def begin(to: Addressee, chat: Chat) -> Talk:
    """The conversation that `chat` begins with a persona.

    Raises:
        Refused: the request, or what the persona makes of it, is wrong.
    """
    prompt = to.target.prompt or Prompt()
    try:
        whole = applied(prompt, chat)
        if whole.choices != 1:
            raise invalid("n", f"a persona whose tools the gateway runs gives one answer, not {whole.choices}.")
    except RequestError as error:
        raise bad_request(error) from error
    except Unsupported as error:
        raise bad_request(RequestError(error.message, code="unsupported_parameter", param=error.param)) from error
    declared = frozenset(tool.name for tool in whole.tools)
    functions = Functions(declared & prompt.executes.keys(), declared - prompt.executes.keys())
    deadline = time.monotonic() + prompt.tools_timeout_seconds
    return Talk(
        to=to,
        asked=replace(to, target=replace(to.target, prompt=Prompt(revision=prompt.revision))),
        tools=_found(to.runtime, prompt),
        functions=functions,
        last_words_only=whole.format is not None,
        deadline=deadline,
        client_messages=chat.messages,
        progress=Progress(whole, functions, Bounds(prompt.max_iterations, deadline)),
    )


def _found(runtime: Runtime, prompt: Prompt) -> Mapping[str, RuntimeTool]:
    found = {function: runtime.tools.get(key) for function, key in prompt.executes.items()}
    return {function: tool for function, tool in found.items() if tool is not None}
