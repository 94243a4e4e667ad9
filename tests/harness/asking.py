"""Asking a gateway for chat completions without a client library in between, so that every byte can be looked at."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.raw_http import Answer, exchange

PATH = "/v1/chat/completions"


def chat_body(model: str = "chat", *, stream: bool = False, said: str = "hi", **fields: Any) -> bytes:
    """A request's body."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": said}], **fields}
    return json.dumps({**body, "stream": True} if stream else body).encode()


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told.

    Attributes:
        answer: All that came.
        text: The text of the answer; of a stream, of all its pieces.
        error: The error, of a refusal or in a stream.
        whole: Whether it is an answer that came to its proper end.
    """

    answer: Answer
    text: str
    error: dict[str, Any] | None
    whole: bool

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.answer.status

    def header(self, name: str) -> str | None:
        """A header of the gateway's own."""
        return self.answer.headers.get(f"x-understudy-{name}")


async def ask(
    port: int, *, model: str = "chat", stream: bool = False, headers: Mapping[str, str] | None = None, **fields: Any
) -> Told:
    """Ask on a connection of its own."""
    return told(await exchange(port, "POST", PATH, chat_body(model, stream=stream, **fields), headers))


def told(answer: Answer) -> Told:
    """Read an answer, streamed or not, whole or not."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        body = answer.json()
        error = body.get("error")
        text = "" if error else body["choices"][0]["message"]["content"] or ""
        return Told(answer, text, error, whole=answer.complete and error is None)
    events = [event.removeprefix("data: ") for event in answer.body.decode().split("\n\n") if event]
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    error = next((chunk["error"] for chunk in chunks if "error" in chunk), None)
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk.get("choices", ()))
    return Told(answer, text, error, whole=answer.complete and bool(events) and events[-1] == "[DONE]")
