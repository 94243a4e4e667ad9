"""The `openai` SDK, 2.x and 3.x: chat completions, with its own stream accumulator."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import openai

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TEXTS, TOOLS
from compatibility.clients.trip import Trip


@cache
def _client(base_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{base_url}/v1", api_key="sk-any")


class Chat:
    """A conversation in chat completions."""

    client: Callable[[str], openai.OpenAI] = staticmethod(_client)
    """The SDK's client for a server's address."""

    def __init__(self, task: Task) -> None:
        self._task = task
        content: Any = task.text
        if task.image:
            picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
            content = [{"type": "text", "text": task.text}, picture]
        self._messages: list[Any] = [{"role": "user", "content": content}]

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        asked: dict[str, Any] = {"model": self._task.model, "messages": self._messages}
        if self._task.tools:
            asked["tools"] = [TOOLS[name].function() for name in self._task.tools]
        if self._task.schema:
            asked["response_format"] = Trip
        if self._task.think:
            asked["reasoning_effort"] = "low"
        answer = self._streamed(asked, heard) if self._task.stream else self._whole(asked)
        choice = answer.choices[0]
        return Turn(
            text=choice.message.content or "",
            calls=[
                Call(call.id, call.function.name, json.loads(call.function.arguments))
                for call in choice.message.tool_calls or []
            ],
            finish=choice.finish_reason,
            usage=answer.usage and (answer.usage.prompt_tokens, answer.usage.completion_tokens),
            cached=answer.usage and answer.usage.prompt_tokens_details.cached_tokens,
            thoughts=getattr(choice.message, "reasoning_content", ""),  # no field of OpenAI's, but one of many others
            parsed=choice.message.parsed.model_dump() if self._task.schema else None,
            native=choice.message,
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        said = turn.native.model_dump(exclude_none=True, exclude={"parsed": True, "tool_calls": {"__all__": _PARSED}})
        self._messages += [
            said,
            *({"role": "tool", "tool_call_id": call.id, "content": result} for call, result in results),
        ]

    def _whole(self, asked: dict[str, Any]) -> Any:
        chat = self.client(self._task.base_url).chat.completions
        return chat.parse(**asked) if self._task.schema else chat.create(**asked)

    def _streamed(self, asked: dict[str, Any], heard: Heard) -> Any:
        chat = self.client(self._task.base_url).chat.completions
        with chat.stream(**asked, stream_options={"include_usage": True}) as stream:
            for event in stream:
                if event.type == "content.delta":
                    heard(event.delta)
            return stream.get_final_completion()


# What the SDK adds to a call for its user, and the wire does not know.
_PARSED = {"function": {"parsed_arguments"}, "index": True}


def _models(task: Task) -> list[str]:
    return [model.id for model in _client(task.base_url).models.list()]


def _embeddings(task: Task) -> list[list[float]]:
    answer = _client(task.base_url).embeddings.create(model=task.model, input=list(TEXTS))
    return [one.embedding for one in answer.data]


if __name__ == "__main__":
    serve(Chat, {"models": _models, "embeddings": _embeddings})
