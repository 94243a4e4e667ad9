"""The output of a response: its items, and the events that bring them one after another.

Thoughts become the summary of a reasoning item, text or a refusal the content of a message, and each call an item.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from understudy.mock.dialects.dialect import Stamp
from understudy.mock.dialects.responses_requests import VENDOR
from understudy.mock.replies import Choice, Finish, ToolCall
from understudy.mock.signatures import signature

Json = dict[str, Any]


def items_of(choice: Choice, stamp: Stamp) -> list[Json]:
    """Return the finished items of an answer: those that its events end with."""
    return [event["item"] for event in events_of(choice, stamp) if event["type"] == "response.output_item.done"]


def events_of(choice: Choice, stamp: Stamp) -> Iterator[Json]:
    """Yield the events of all items; those that bring content have a type that ends in `.delta`."""
    index = 0
    if choice.thoughts:
        yield from _at(index, _reasoning(choice.thoughts, stamp))
        index += 1
    if choice.pieces or not choice.tool_calls:
        yield from _at(index, _message(choice, stamp))
        index += 1
    for place, call in enumerate(choice.tool_calls):
        yield from _at(index + place, _function_call(call, place, stamp))


def _at(index: int, events: Iterator[Json]) -> Iterator[Json]:
    """Put the place of the item into its events."""
    return (event | {"output_index": index} for event in events)


def _reasoning(thoughts: Sequence[str], stamp: Stamp) -> Iterator[Json]:
    part = {"type": "summary_text", "text": "".join(thoughts)}
    item = {"id": _id("rs", stamp), "type": "reasoning", "summary": [], "encrypted_content": signature(VENDOR, "")}
    yield _added(item)
    where = {"item_id": item["id"], "summary_index": 0}
    yield {"type": "response.reasoning_summary_part.added", **where, "part": part | {"text": ""}}
    for thought in thoughts:
        yield {"type": "response.reasoning_summary_text.delta", **where, "delta": thought}
    yield {"type": "response.reasoning_summary_text.done", **where, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **where, "part": part}
    yield _done(item | {"summary": [part]})


def _message(choice: Choice, stamp: Stamp) -> Iterator[Json]:
    text = "".join(choice.pieces)
    refused = choice.finish is Finish.REFUSAL
    name, kind = ("refusal", "refusal") if refused else ("text", "output_text")
    logprobs: Json = {} if refused else {"logprobs": []}
    part: Json = {"type": kind, name: text, **logprobs} | ({} if refused else {"annotations": []})
    item = {"id": _id("msg", stamp), "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    yield _added(item)
    where = {"item_id": item["id"], "content_index": 0}
    yield {"type": "response.content_part.added", **where, "part": part | {name: ""}}
    for piece in choice.pieces:
        yield {"type": f"response.{kind}.delta", **where, "delta": piece, **logprobs}
    yield {"type": f"response.{kind}.done", **where, name: text, **logprobs}
    yield {"type": "response.content_part.done", **where, "part": part}
    status = "incomplete" if choice.finish is Finish.LENGTH else "completed"
    yield _done(item | {"status": status, "content": [part]})


def _function_call(call: ToolCall, place: int, stamp: Stamp) -> Iterator[Json]:
    item = {
        "id": _id("fc", stamp, place),
        "type": "function_call",
        "status": "in_progress",
        "call_id": _id("call", stamp, place),
        "name": call.name,
        "arguments": "",
    }
    yield _added(item)
    where = {"item_id": item["id"]}
    for piece in call.arguments:
        yield {"type": "response.function_call_arguments.delta", **where, "delta": piece}
    arguments = "".join(call.arguments)
    yield {"type": "response.function_call_arguments.done", **where, "name": call.name, "arguments": arguments}
    yield _done(item | {"status": "completed", "arguments": arguments})


def _added(item: Json) -> Json:
    return {"type": "response.output_item.added", "item": item}


def _done(item: Json) -> Json:
    return {"type": "response.output_item.done", "item": item}


def _id(kind: str, stamp: Stamp, place: int = 0) -> str:
    return f"{kind}_{stamp.name}_{stamp.number}_{place}"
