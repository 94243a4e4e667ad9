"""`langchain-openai`: ChatOpenAI with a base URL of one's own."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TEXTS, TOOLS
from compatibility.clients.trip import Trip


@cache
def _model(base_url: str, name: str) -> ChatOpenAI:
    # With another base URL than OpenAI's, LangChain asks for the usage of streams only where it is told to.
    return ChatOpenAI(base_url=f"{base_url}/v1", api_key="sk-any", model=name, stream_usage=True)


class Chat:
    """A conversation in LangChain's messages."""

    def __init__(self, task: Task) -> None:
        self._task = task
        content: Any = task.text
        if task.image:
            picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
            content = [{"type": "text", "text": task.text}, picture]
        self._messages: list[Any] = [HumanMessage(content)]

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        parsed = None
        if self._task.schema:
            message, parsed = self._structured()
        else:
            message = self._said(heard)
        usage = message.usage_metadata
        return Turn(
            text=message.text,
            calls=[Call(call["id"], call["name"], call["args"]) for call in message.tool_calls],
            finish=message.response_metadata.get("finish_reason"),
            usage=usage and (usage["input_tokens"], usage["output_tokens"]),
            cached=usage and usage.get("input_token_details", {}).get("cache_read"),
            parsed=parsed,
            native=message,
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        self._messages += [
            turn.native,
            *(ToolMessage(result, tool_call_id=call.id) for call, result in results),
        ]

    def _said(self, heard: Heard) -> AIMessage:
        model: Any = _model(self._task.base_url, self._task.model)
        if self._task.tools:
            model = model.bind_tools([TOOLS[name].function() for name in self._task.tools])
        if not self._task.stream:
            whole: AIMessage = model.invoke(self._messages)
            return whole
        message: Any = None
        for chunk in model.stream(self._messages):
            heard(chunk.text)
            message = chunk if message is None else message + chunk
        return AIMessage(
            content=message.content,
            tool_calls=message.tool_calls,
            usage_metadata=message.usage_metadata,
            response_metadata=message.response_metadata,
        )

    def _structured(self) -> tuple[AIMessage, dict[str, Any]]:
        model = _model(self._task.base_url, self._task.model)
        asking = model.with_structured_output(Trip, method="json_schema", include_raw=True)
        found: dict[str, Any] = {}
        if self._task.stream:
            for piece in asking.stream(self._messages):
                found |= piece
        else:
            found = dict(asking.invoke(self._messages))
        if found["parsing_error"] is not None:
            raise found["parsing_error"]
        return found["raw"], found["parsed"].model_dump()


def _embeddings(task: Task) -> list[list[float]]:
    # Else LangChain sends tokens of OpenAI's tokenizer, which it downloads.
    model = OpenAIEmbeddings(
        base_url=f"{task.base_url}/v1", api_key="sk-any", model=task.model, check_embedding_ctx_length=False
    )
    vectors: list[list[float]] = model.embed_documents(list(TEXTS))
    return vectors


if __name__ == "__main__":
    serve(Chat, {"embeddings": _embeddings})
