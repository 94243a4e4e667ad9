"""The `openai` SDK's other door: responses, with its own stream accumulator."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import openai

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TOOLS
from compatibility.clients.trip import Trip


@cache
def _client(base_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{base_url}/v1", api_key="sk-any")


class ResponseFailed(openai.OpenAIError):
    """What an app raises when an event of OpenAI's tells that there will be no answer: the SDK leaves that to it."""


class Responses:
    """A conversation in responses, each of which names the one before it."""

    def __init__(self, task: Task) -> None:
        self._task = task
        content: list[dict[str, Any]] = [{"type": "input_text", "text": task.text}]
        if task.image:
            content.append({"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PNG}"})
        self._input: list[Any] = [{"role": "user", "content": content}]
        self._previous: str | None = None

    def ask(self, heard: Heard) -> Turn:
        """Send what is new."""
        asked: dict[str, Any] = {"model": self._task.model, "input": self._input}
        if self._previous:
            asked["previous_response_id"] = self._previous
        if self._task.tools:
            asked["tools"] = [{"type": "function", **TOOLS[name].function()["function"]} for name in self._task.tools]
        if self._task.schema:
            asked["text_format"] = Trip
        if self._task.think:
            asked["reasoning"] = {"effort": "low", "summary": "auto"}
        answer = self._streamed(asked, heard) if self._task.stream else self._whole(asked)
        return Turn(
            text=answer.output_text,
            calls=[
                Call(item.call_id, item.name, json.loads(item.arguments))
                for item in answer.output
                if item.type == "function_call"
            ],
            finish=answer.status,
            usage=answer.usage and (answer.usage.input_tokens, answer.usage.output_tokens),
            cached=answer.usage and answer.usage.input_tokens_details.cached_tokens,
            thoughts="".join(part.text for item in answer.output if item.type == "reasoning" for part in item.summary),
            parsed=answer.output_parsed.model_dump() if self._task.schema else None,
            native=answer.id,
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        self._previous = turn.native
        self._input = [
            {"type": "function_call_output", "call_id": call.id, "output": result} for call, result in results
        ]

    def _whole(self, asked: dict[str, Any]) -> Any:
        responses = _client(self._task.base_url).responses
        return responses.parse(**asked) if self._task.schema else responses.create(**asked)

    def _streamed(self, asked: dict[str, Any], heard: Heard) -> Any:
        with _client(self._task.base_url).responses.stream(**asked) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    heard(event.delta)
                elif event.type == "response.failed":
                    raise ResponseFailed(event.response.error and event.response.error.message)
                elif event.type == "error":
                    raise ResponseFailed(event.message)
            return stream.get_final_response()


if __name__ == "__main__":
    serve(Responses)
