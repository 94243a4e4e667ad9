"""The `google-genai` SDK: models.generate_content and its stream."""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from google import genai
from google.genai import types

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TEXTS, TOOLS
from compatibility.clients.trip import Trip


@cache
def _client(base_url: str) -> genai.Client:
    return genai.Client(api_key="any", http_options=types.HttpOptions(base_url=base_url))


class Contents:
    """A conversation in contents."""

    def __init__(self, task: Task) -> None:
        self._task = task
        parts = [types.Part.from_text(text=task.text)]
        if task.image:
            parts.append(types.Part.from_bytes(data=b64decode(PNG), mime_type="image/png"))
        self._contents = [types.Content(role="user", parts=parts)]

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        asked: dict[str, Any] = {"model": self._task.model, "contents": self._contents, "config": self._config()}
        models = _client(self._task.base_url).models
        pieces: Any = (
            models.generate_content_stream(**asked) if self._task.stream else [models.generate_content(**asked)]
        )
        parts: list[types.Part] = []
        finish, usage = None, None
        for piece in pieces:
            for part in _parts(piece):
                parts.append(part)
                heard(None if part.thought else part.text)
            finish = _finish(piece) or finish
            usage = piece.usage_metadata or usage
        text = "".join(part.text for part in parts if part.text and not part.thought)
        return Turn(
            text=text,
            calls=[_call(part.function_call) for part in parts if part.function_call],
            finish=finish,
            usage=usage and (usage.prompt_token_count, usage.candidates_token_count),
            cached=usage and usage.cached_content_token_count,
            thoughts="".join(part.text for part in parts if part.text and part.thought),
            parsed=self._parsed(piece, text),
            native=types.Content(role="model", parts=parts),
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        told = [
            types.Part(
                function_response=types.FunctionResponse(id=call.id, name=call.name, response={"result": result})
            )
            for call, result in results
        ]
        self._contents += [turn.native, types.Content(role="user", parts=told)]

    def _config(self) -> types.GenerateContentConfig:
        config = types.GenerateContentConfig(
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
        )
        if self._task.tools:
            declarations = [
                types.FunctionDeclaration(
                    name=tool.name, description=tool.description, parameters_json_schema=tool.parameters
                )
                for tool in map(TOOLS.__getitem__, self._task.tools)
            ]
            config.tools = [types.Tool(function_declarations=declarations)]
        if self._task.think:
            config.thinking_config = types.ThinkingConfig(include_thoughts=True)
        if self._task.schema:
            config.response_mime_type = "application/json"
            config.response_schema = Trip
        return config

    def _parsed(self, last: types.GenerateContentResponse, text: str) -> dict[str, Any] | None:
        """The SDK parses whole answers; of a stream its users parse the text."""
        if not self._task.schema:
            return None
        trip = Trip.model_validate_json(text) if self._task.stream else last.parsed
        assert isinstance(trip, Trip), f"parsed is {trip!r}"
        return trip.model_dump()


def _parts(piece: types.GenerateContentResponse) -> Iterator[types.Part]:
    for candidate in piece.candidates or []:
        if candidate.content is not None:
            yield from candidate.content.parts or []


def _finish(piece: types.GenerateContentResponse) -> str | None:
    return next((str(one.finish_reason.value) for one in piece.candidates or [] if one.finish_reason), None)


def _call(made: types.FunctionCall) -> Call:
    return Call(made.id, made.name or "", made.args or {})


def _models(task: Task) -> list[str]:
    return [(model.name or "").removeprefix("models/") for model in _client(task.base_url).models.list()]


def _embeddings(task: Task) -> list[list[float]]:
    answer = _client(task.base_url).models.embed_content(model=task.model, contents=list(TEXTS))
    return [one.values or [] for one in answer.embeddings or []]


def _count(task: Task) -> int:
    answer = _client(task.base_url).models.count_tokens(model=task.model, contents=task.text)
    return int(answer.total_tokens or 0)


if __name__ == "__main__":
    serve(Contents, {"models": _models, "embeddings": _embeddings, "count tokens": _count})
