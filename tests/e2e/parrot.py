"""A stand-in for a provider that says what it was told: its instructions, its temperature, and its instructions again.

Runs in a pod: `python parrot.py PORT`. An answer in which one thing is of an edit and another of the edit before it
gives itself away. Streams take their time, so that edits happen in the middle of them.
"""

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

PAUSE_SECONDS = 0.05


def said_to(asked: dict[str, Any]) -> list[str]:
    """The pieces of the answer to a chat completion."""
    told = [message["content"] for message in asked["messages"] if message["role"] in {"system", "developer"}]
    instructions = " ".join(told)
    return [f"{word} " for word in f"{instructions} At {asked.get('temperature')}. {instructions}".split()]


def choice(part: str, content: dict[str, Any], finish: str | None) -> dict[str, Any]:
    """The one choice of an answer (`message`) or of an event (`delta`)."""
    return {"choices": [{"index": 0, part: content, "finish_reason": finish}]}


async def answer(request: web.Request) -> web.StreamResponse:
    """Answer a chat completion, whole or as a stream."""
    asked = await request.json()
    pieces = said_to(asked)
    head = {"id": "parrot", "created": 0, "model": asked["model"]}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "".join(pieces)}
        return web.json_response({**head, "object": "chat.completion", **choice("message", message, "stop")})
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    for piece in pieces:
        event = {**head, "object": "chat.completion.chunk", **choice("delta", {"content": piece}, None)}
        await stream.write(f"data: {json.dumps(event)}\n\n".encode())
        await asyncio.sleep(PAUSE_SECONDS)
    event = {**head, "object": "chat.completion.chunk", **choice("delta", {}, "stop")}
    await stream.write(f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode())
    return stream


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    web.run_app(app, port=int(sys.argv[1]))
