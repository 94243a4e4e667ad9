"""`boto3`'s Bedrock runtime: converse and its stream."""

import json
from base64 import b64decode
from collections.abc import Sequence
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from compatibility.clients.driver import Call, Heard, Task, Turn, serve
from compatibility.clients.subjects import PNG, TOOLS


@cache
def _client(base_url: str) -> Any:
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=base_url,
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


class Converse:
    """A conversation in converse."""

    def __init__(self, task: Task) -> None:
        self._task = task
        content: list[dict[str, Any]] = [{"text": task.text}]
        if task.image:
            content.append({"image": {"format": "png", "source": {"bytes": b64decode(PNG)}}})
        self._messages: list[Any] = [{"role": "user", "content": content}]

    def ask(self, heard: Heard) -> Turn:
        """Send everything said so far."""
        asked: dict[str, Any] = {"modelId": self._task.model, "messages": self._messages}
        if self._task.tools:
            asked["toolConfig"] = {"tools": [_declared(name) for name in self._task.tools]}
        client = _client(self._task.base_url)
        if self._task.stream:
            answer = _folded(client.converse_stream(**asked)["stream"], heard)
        else:
            answer = client.converse(**asked)
        message = answer["output"]["message"]
        uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
        return Turn(
            text="".join(block["text"] for block in message["content"] if "text" in block),
            calls=[Call(use["toolUseId"], use["name"], use["input"]) for use in uses],
            finish=answer["stopReason"],
            usage=(answer["usage"]["inputTokens"], answer["usage"]["outputTokens"]),
            native=message,
        )

    def tell(self, turn: Turn, results: Sequence[tuple[Call, str]]) -> None:
        """Keep what the tools returned."""
        told = [{"toolResult": {"toolUseId": call.id, "content": [{"text": result}]}} for call, result in results]
        self._messages += [turn.native, {"role": "user", "content": told}]


def _declared(name: str) -> dict[str, Any]:
    tool = TOOLS[name]
    schema = {"json": tool.parameters}
    return {"toolSpec": {"name": tool.name, "description": tool.description, "inputSchema": schema}}


def _folded(stream: Any, heard: Heard) -> dict[str, Any]:
    """The events of a stream as the answer that they tell; boto3 leaves that to its users."""
    blocks: dict[int, dict[str, Any]] = {}
    answer: dict[str, Any] = {}
    for event in stream:
        ((kind, told),) = event.items()
        if kind == "contentBlockStart":
            blocks[told["contentBlockIndex"]] = {"toolUse": {**told["start"]["toolUse"], "input": ""}}
        elif kind == "contentBlockDelta" and "text" in told["delta"]:
            blocks.setdefault(told["contentBlockIndex"], {"text": ""})["text"] += told["delta"]["text"]
            heard(told["delta"]["text"])
        elif kind == "contentBlockDelta":
            blocks[told["contentBlockIndex"]]["toolUse"]["input"] += told["delta"]["toolUse"]["input"]
        elif kind in {"messageStop", "metadata"}:
            answer |= told
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    content = [blocks[index] for index in sorted(blocks)]
    return {**answer, "output": {"message": {"role": "assistant", "content": content}}}


if __name__ == "__main__":
    serve(Converse)
