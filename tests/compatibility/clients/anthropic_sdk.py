"""The `anthropic` SDK, 0.x to 2.x: messages, with its own stream accumulator."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import anthropic

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TOOLS
from compatibility.clients.trip import Trip

MAX_TOKENS = 1024


@cache
def _client(base_url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=base_url, api_key="sk-any")


class Messages:
    """A conversation in messages."""

    def __init__(self, task: Task) -> None:
        self._task = task
        content: Any = task.text
        if task.image:
            source = {"type": "base64", "media_type": "image/png", "data": PNG}
            content = [{"type": "image", "source": source}, {"type": "text", "text": task.text}]
        self._messages: list[Any] = [{"role": "user", "content": content}]

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        asked: dict[str, Any] = {"model": self._task.model, "max_tokens": MAX_TOKENS, "messages": self._messages}
        if self._task.tools:
            asked["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
                for tool in map(TOOLS.__getitem__, self._task.tools)
            ]
        if self._task.schema:
            asked["output_format"] = Trip
        if self._task.think:
            asked |= {"max_tokens": 2 * MAX_TOKENS, "thinking": {"type": "enabled", "budget_tokens": MAX_TOKENS}}
        answer = self._streamed(asked, heard) if self._task.stream else self._whole(asked)
        return Turn(
            text="".join(block.text for block in answer.content if block.type == "text"),
            calls=[Call(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"],
            finish=answer.stop_reason,
            usage=(answer.usage.input_tokens, answer.usage.output_tokens),
            cached=answer.usage.cache_read_input_tokens,
            thoughts="".join(block.thinking for block in answer.content if block.type == "thinking"),
            parsed=answer.parsed_output.model_dump() if self._task.schema else None,
            native=answer.content,
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        told = [{"type": "tool_result", "tool_use_id": call.id, "content": result} for call, result in results]
        self._messages += [{"role": "assistant", "content": turn.native}, {"role": "user", "content": told}]

    def _whole(self, asked: dict[str, Any]) -> Any:
        messages = _client(self._task.base_url).messages
        return messages.parse(**asked) if self._task.schema else messages.create(**asked)

    def _streamed(self, asked: dict[str, Any], heard: Heard) -> Any:
        with _client(self._task.base_url).messages.stream(**asked) as stream:
            for text in stream.text_stream:
                heard(text)
            return stream.get_final_message()


def _models(task: Task) -> list[str]:
    return [model.id for model in _client(task.base_url).models.list()]


def _count(task: Task) -> int:
    said: Any = [{"role": "user", "content": task.text}]
    answer = _client(task.base_url).messages.count_tokens(model=task.model, messages=said)
    return int(answer.input_tokens)


if __name__ == "__main__":
    serve(Messages, {"models": _models, "count tokens": _count})
