"""`llama-index-llms-openai`: its OpenAI class, which knows OpenAI's model names only."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from llama_index.core.llms import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TOOLS
from compatibility.clients.trip import Trip


def get_weather(city: str) -> str:
    """Tells the weather in a city."""
    return f"{city}: {TOOLS['get_weather'].result}"


def get_time(zone: str) -> str:
    """Tells the time in a zone."""
    return f"{zone}: {TOOLS['get_time'].result}"


_FUNCTIONS = {function.__name__: FunctionTool.from_defaults(fn=function) for function in (get_weather, get_time)}


@cache
def _model(base_url: str, name: str) -> OpenAI:
    return OpenAI(api_base=f"{base_url}/v1", api_key="sk-any", model=name)


class Chat:
    """A conversation in LlamaIndex's messages."""

    model: Callable[[str, str], OpenAI] = staticmethod(_model)
    """The SDK's model for a server's address and a name."""

    def __init__(self, task: Task) -> None:
        self._task = task
        blocks: list[Any] = [TextBlock(text=task.text)]
        if task.image:
            blocks.append(ImageBlock(image=PNG.encode(), image_mimetype="image/png"))
        self._messages = [ChatMessage(role=MessageRole.USER, blocks=blocks)]

    @property
    def _model(self) -> Any:
        return self.model(self._task.base_url, self._task.model)

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        if self._task.schema:
            return self._structured()
        finish, usage, last = None, None, None
        for answer in self._streamed(heard) if self._task.stream else [self._whole()]:
            last = answer
            finish = next((choice.finish_reason for choice in answer.raw.choices if choice.finish_reason), finish)
            usage = answer.raw.usage or usage
        assert last is not None, "not one piece came"
        return Turn(
            text=last.message.content or "",
            calls=[
                Call(call.tool_id, call.tool_name, call.tool_kwargs)
                for call in self._model.get_tool_calls_from_response(last, error_on_no_tool_call=False)
            ],
            finish=finish,
            usage=usage and (usage.prompt_tokens, usage.completion_tokens),
            cached=usage and usage.prompt_tokens_details.cached_tokens,
            native=last.message,
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        self._messages.append(turn.native)
        for call, result in results:
            named = {"tool_call_id": call.id, "name": call.name}
            self._messages.append(ChatMessage(role=MessageRole.TOOL, content=result, additional_kwargs=named))

    def _structured(self) -> Turn:
        """An object is all that LlamaIndex hands out here: no finish reason, no usage."""
        model = self._model.as_structured_llm(Trip)
        *_, last = model.stream_chat(self._messages) if self._task.stream else [model.chat(self._messages)]
        return Turn(text=last.message.content, parsed=Trip.model_validate(last.raw.model_dump()).model_dump())

    def _whole(self) -> Any:
        return self._model.chat_with_tools(**self._offered()) if self._task.tools else self._model.chat(self._messages)

    def _streamed(self, heard: Heard) -> Iterator[Any]:
        usage = {"stream_options": {"include_usage": True}}
        if self._task.tools:
            pieces = self._model.stream_chat_with_tools(**self._offered(), **usage)
        else:
            pieces = self._model.stream_chat(self._messages, **usage)
        for piece in pieces:
            heard(piece.delta)
            yield piece

    def _offered(self) -> dict[str, Any]:
        return {
            "tools": [_FUNCTIONS[name] for name in self._task.tools],
            "chat_history": list(self._messages),
            "allow_parallel_tool_calls": True,
        }


if __name__ == "__main__":
    serve(Chat)
