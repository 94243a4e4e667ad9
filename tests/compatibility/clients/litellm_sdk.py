"""`litellm` as a client: its `openai/` provider, pointed at another address."""

import json
from collections.abc import Sequence
from typing import Any

import litellm

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TEXTS, TOOLS
from compatibility.clients.trip import Trip


class Chat:
    """A conversation in `litellm.completion`."""

    def __init__(self, task: Task) -> None:
        self._task = task
        content: Any = task.text
        if task.image:
            picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
            content = [{"type": "text", "text": task.text}, picture]
        self._messages: list[Any] = [{"role": "user", "content": content}]

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        answer: Any = self._answered(heard)
        choice = answer.choices[0]
        text = choice.message.content or ""
        return Turn(
            text=text,
            calls=[
                Call(call.id, call.function.name, json.loads(call.function.arguments))
                for call in choice.message.tool_calls or []
            ],
            finish=choice.finish_reason,
            usage=(answer.usage.prompt_tokens, answer.usage.completion_tokens),
            cached=answer.usage.prompt_tokens_details and answer.usage.prompt_tokens_details.cached_tokens,
            thoughts=getattr(choice.message, "reasoning_content", None) or "",
            parsed=Trip.model_validate_json(text).model_dump() if self._task.schema else None,
            native=choice.message,
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        self._messages += [
            turn.native,
            *({"role": "tool", "tool_call_id": call.id, "content": result} for call, result in results),
        ]

    def _answered(self, heard: Heard) -> Any:
        asked: dict[str, Any] = {
            "model": f"openai/{self._task.model}",
            "api_base": f"{self._task.base_url}/v1",
            "api_key": "sk-any",
            "messages": self._messages,
        }
        if self._task.tools:
            asked["tools"] = [TOOLS[name].function() for name in self._task.tools]
        if self._task.schema:
            asked["response_format"] = Trip
        if self._task.think:
            # LiteLLM does not know the model, and so has to be told that it thinks.
            asked |= {"reasoning_effort": "low", "allowed_openai_params": ["reasoning_effort"]}
        if not self._task.stream:
            return litellm.completion(**asked)
        chunks = []
        for chunk in litellm.completion(**asked, stream=True, stream_options={"include_usage": True}):
            chunks.append(chunk)
            heard(chunk.choices[0].delta.content if chunk.choices else None)
        return litellm.stream_chunk_builder(chunks, messages=self._messages)


def _embeddings(task: Task) -> list[list[float]]:
    answer = litellm.embedding(
        model=f"openai/{task.model}", api_base=f"{task.base_url}/v1", api_key="sk-any", input=list(TEXTS)
    )
    return [one["embedding"] for one in answer.data]


if __name__ == "__main__":
    serve(Chat, {"embeddings": _embeddings})
