"""Anthropic's client, in messages."""

from collections.abc import Sequence
from typing import Any

import orjson

from harness.callers.caller import PNG, SCHEMA, TOOLS, Asking, Called, Caller, Heard, Turn, Wrong
from harness.callers.server_sent import events_in

_TOOLS = [{"name": name, "input_schema": SCHEMA} for name in TOOLS]
_BUDGET = 1024
_MOST = 4096
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


class Anthropic(Caller):
    """Reads streams as `anthropic` puts them together: blocks one after the other, counted from 0."""

    headers = {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01"}

    def path(self, asking: Asking) -> str:  # noqa: ARG002 - the same for all
        """Of both."""
        return "/v1/messages"

    def body(self, asking: Asking) -> dict[str, Any]:
        """The request."""
        body: dict[str, Any] = {"model": asking.model, "messages": list(asking.turns)}
        body["max_tokens"] = _MOST if asking.most is None else asking.most
        if asking.stream:
            body["stream"] = True
        if asking.tools:
            body["tools"] = _TOOLS
        if asking.think:
            body["thinking"] = {"type": "enabled", "budget_tokens": _BUDGET}
        return body

    def user(self, text: str, *, image: bool = False) -> Turn:
        """A message."""
        said: list[Any] = [{"type": "text", "text": text}]
        if image:
            source = {"type": "base64", "media_type": "image/png", "data": PNG}
            said.append({"type": "image", "source": source})
        return {"role": "user", "content": said}

    def results(self, calls: Sequence[Called], *texts: str) -> list[Turn]:
        """One message with all of them."""
        blocks = [
            {"type": "tool_result", "tool_use_id": call.id, "content": text}
            for call, text in zip(calls, texts, strict=True)
        ]
        return [{"role": "user", "content": blocks}]

    def read(self, body: Any) -> Heard:
        """A `message`."""
        assert (body["type"], body["role"]) == ("message", "assistant")
        return _heard(body["content"], body["stop_reason"], body["usage"])

    def events(self, body: bytes) -> list[Any]:
        """Named events; each says its name twice."""
        events = [(name, orjson.loads(data)) for name, data in events_in(body)]
        assert all(name == event["type"] for name, event in events)
        return [event for _, event in events]

    def put_together(self, events: Sequence[Any]) -> Heard:
        """What the events amount to."""
        first, *rest, last = (event for event in events if event["type"] != "ping")
        assert ("message_start", "message_stop") == (first["type"], last["type"])
        assert first["message"]["content"] == []
        blocks: list[_Block] = []
        usage, stop = dict(first["message"]["usage"]), None
        is_open = False
        for event in rest:
            match event["type"]:
                case "content_block_start":
                    assert (False, len(blocks), None) == (is_open, event["index"], stop)
                    blocks.append(_Block(event["content_block"]))
                    is_open = True
                case "content_block_delta":
                    assert (True, len(blocks) - 1) == (is_open, event["index"])
                    blocks[-1].add(event["delta"])
                case "content_block_stop":
                    assert (True, len(blocks) - 1) == (is_open, event["index"])
                    is_open = False
                case kind:
                    assert (kind, is_open, stop) == ("message_delta", False, None)
                    stop = event["delta"]["stop_reason"]
                    assert "output_tokens" in event["usage"]
                    usage |= event["usage"]
        return _heard([block.whole() for block in blocks], stop, usage)

    def unfinished(self, events: Sequence[Any]) -> str:
        """The words; the end of a message, or what announces it, would be an end."""
        assert not {"message_delta", "message_stop"} & {event["type"] for event in events}
        deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
        return "".join(delta["text"] for delta in deltas).strip()

    def error_in(self, event: Any) -> Wrong | None:
        """An `error`."""
        if event.get("type") != "error":
            return None
        error = event["error"]
        return Wrong(error["message"], error["type"], error.get("details", {}).get("error_code"))


class _Block(dict[str, Any]):
    """A block of content that comes in pieces."""

    def add(self, delta: dict[str, Any]) -> None:
        """One more piece."""
        if delta["type"] == "input_json_delta":
            self["json"] = self.get("json", "") + delta["partial_json"]
        else:
            field = _DELTAS[delta["type"]]
            self[field] += delta[field]

    def whole(self) -> dict[str, Any]:
        """All of it."""
        arguments = self.pop("json", "")
        return self | {"input": orjson.loads(arguments)} if arguments else dict(self)


def _heard(blocks: list[dict[str, Any]], stop: str | None, usage: dict[str, Any]) -> Heard:
    def words(kind: str) -> str:
        return "".join(block[kind] for block in blocks if block["type"] == kind)

    calls = tuple(Called(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use")
    kept = [block for block in blocks if block["type"] != "text" or block["text"].strip()]
    return Heard(
        text=words("text"),
        thoughts=words("thinking"),
        calls=calls,
        finish=None if stop is None else _FINISH[stop],
        usage=_usage(usage),
        turns=({"role": "assistant", "content": kept},) if kept else (),
    )


def _usage(stated: dict[str, Any]) -> dict[str, int]:
    cached, written = stated["cache_read_input_tokens"], stated["cache_creation_input_tokens"]
    return {
        "input": stated["input_tokens"] + cached + written,
        "output": stated["output_tokens"],
        "cached": cached,
        "written": written,
        "reasoning": stated["output_tokens_details"]["thinking_tokens"],
    }
