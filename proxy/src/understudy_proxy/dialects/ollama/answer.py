"""A canonical answer as Ollama's clients get it."""

from typing import Any

import orjson

from understudy_proxy.dialects.calls import object_in
from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import Refusal, Text, Thinking, ToolCall
from understudy_proxy.dialects.ollama.request import OllamaRequest
from understudy_proxy.dialects.usage import Usage

_REASONS = {
    Finish.STOP: "stop",
    Finish.TOOL_CALLS: "stop",
    Finish.LENGTH: "length",
    # No word of Ollama's, which has no filters; its clients take any.
    Finish.CONTENT_FILTER: "content_filter",
}


def write_answer(answer: Answer, asked: OllamaRequest) -> bytes:
    """The body of a whole answer; it took all of the time to be written, as far as can be known."""
    choice = answer.choices[0]
    said: dict[str, Any] = {"model": asked.model, "created_at": asked.clock.stamp()}
    said |= _generated(choice, asked) if asked.generate else {"message": _message(choice, asked)}
    if choice.logprobs:
        said["logprobs"] = choice.logprobs.get("content")
    return orjson.dumps(said | ending(choice.finish, answer.usage, asked, first=asked.began))


def ending(finish: Finish, usage: Usage | None, asked: OllamaRequest, *, first: int) -> dict[str, Any]:
    """How an answer ended and what it took; `first` is when its first word came."""
    now = asked.clock.elapsed()
    end: dict[str, Any] = {
        "done": True,
        "done_reason": _REASONS[finish],
        "total_duration": now - asked.began,
        "load_duration": 0,
        "prompt_eval_duration": first - asked.began,
        "eval_duration": now - first,
    }
    if usage is not None:
        end |= {"prompt_eval_count": usage.input, "eval_count": usage.output}
    return end


def tool_call(call: ToolCall, index: int) -> dict[str, Any] | None:
    """A call; None when its arguments are no object, which Ollama's clients cannot be given."""
    if (arguments := object_in(call.arguments)) is None:
        return None
    return {"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}}


def unreadable(call: ToolCall) -> str:
    """What is said in the place of such a call: what the model wrote, as Ollama does it itself."""
    return f"{call.name}({call.arguments})"


def _message(choice: Choice, asked: OllamaRequest) -> dict[str, Any]:
    made = [(part, tool_call(part, 0)) for part in choice.parts if isinstance(part, ToolCall)]
    broken = [unreadable(call) for call, written in made if written is None]
    message: dict[str, Any] = {"role": "assistant", "content": _words(choice) + "".join(broken)}
    if thoughts := _thoughts(choice, asked):
        message["thinking"] = thoughts
    calls = [written for _, written in made if written is not None]
    for index, call in enumerate(calls):
        call["function"]["index"] = index
    if calls:
        message["tool_calls"] = calls
    return message


def _generated(choice: Choice, asked: OllamaRequest) -> dict[str, Any]:
    thoughts = _thoughts(choice, asked)
    return {"response": _words(choice)} | ({"thinking": thoughts} if thoughts else {})


def _words(choice: Choice) -> str:
    """What is said; why a model declined only where it said nothing else, since there is no other place for it."""
    said = "".join(part.text for part in choice.parts if isinstance(part, Text))
    return said or "".join(part.text for part in choice.parts if isinstance(part, Refusal))


def _thoughts(choice: Choice, asked: OllamaRequest) -> str:
    if not asked.thoughts:
        return ""
    return "".join(part.text for part in choice.parts if isinstance(part, Thinking))
