"""The `ollama` SDK: chat."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import ollama

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TEXTS, TOOLS
from compatibility.clients.trip import Trip


@cache
def _client(base_url: str) -> ollama.Client:
    return ollama.Client(host=base_url)


class Chat:
    """A conversation in chat."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._messages: list[Any] = [{"role": "user", "content": task.text}]
        if task.image:
            self._messages[0]["images"] = [PNG]

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[Any] = []
        last: Any = None
        for last in self._answered():
            texts.append(last.message.content or "")
            thoughts.append(last.message.thinking or "")
            calls += last.message.tool_calls or []
            heard(last.message.content)
        assert last is not None, "not one piece came"
        text = "".join(texts)
        return Turn(
            text=text,
            calls=[Call(None, call.function.name, dict(call.function.arguments)) for call in calls],
            finish=last.done_reason,
            usage=(last.prompt_eval_count, last.eval_count) if last.done else None,
            thoughts="".join(thoughts),
            parsed=Trip.model_validate_json(text).model_dump() if self._task.schema else None,
            native={"role": "assistant", "content": text, "thinking": "".join(thoughts), "tool_calls": calls},
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        self._messages += [
            turn.native,
            *({"role": "tool", "tool_name": call.name, "content": result} for call, result in results),
        ]

    def _answered(self) -> Iterator[Any]:
        chat: Any = _client(self._task.base_url).chat
        asked: dict[str, Any] = {"model": self._task.model, "messages": self._messages}
        if self._task.tools:
            asked["tools"] = [TOOLS[name].function() for name in self._task.tools]
        if self._task.think:
            asked["think"] = True
        if self._task.schema:
            asked["format"] = Trip.model_json_schema()
        return iter(chat(**asked, stream=True) if self._task.stream else [chat(**asked)])


def _models(task: Task) -> list[str]:
    return [(model.model or "").removesuffix(":latest") for model in _client(task.base_url).list().models]


def _embeddings(task: Task) -> list[list[float]]:
    answer = _client(task.base_url).embed(model=task.model, input=list(TEXTS))
    return [list(vector) for vector in answer.embeddings]


if __name__ == "__main__":
    serve(Chat, {"models": _models, "embeddings": _embeddings})
