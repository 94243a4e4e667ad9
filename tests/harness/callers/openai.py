"""OpenAI's client, in chat completions."""

from collections.abc import Sequence
from typing import Any

import orjson

from harness.callers.caller import PNG, SCHEMA, TOOLS, Asking, Called, Caller, Heard, Turn, Wrong
from harness.callers.server_sent import json_events

DONE = "[DONE]"
_TOOLS = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in TOOLS]
_ONCE = {"role", "id", "type", "name"}


class OpenAI(Caller):
    """Reads streams as `openai-python` puts them together: by index, texts added to texts."""

    def path(self, asking: Asking) -> str:  # noqa: ARG002 - the same for all
        """Of both."""
        return "/v1/chat/completions"

    def body(self, asking: Asking) -> dict[str, Any]:
        """The request."""
        body: dict[str, Any] = {"model": asking.model, "messages": list(asking.turns)}
        if asking.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if asking.tools:
            body["tools"] = _TOOLS
        if asking.think:
            body["reasoning_effort"] = "low"
        if asking.most is not None:
            body["max_completion_tokens"] = asking.most
        return body

    def user(self, text: str, *, image: bool = False) -> Turn:
        """A message."""
        if not image:
            return {"role": "user", "content": text}
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
        return {"role": "user", "content": [{"type": "text", "text": text}, picture]}

    def results(self, calls: Sequence[Called], *texts: str) -> list[Turn]:
        """A message each."""
        return [
            {"role": "tool", "tool_call_id": call.id, "content": text} for call, text in zip(calls, texts, strict=True)
        ]

    def read(self, body: Any) -> Heard:
        """A `chat.completion`."""
        assert body["object"] == "chat.completion"
        (choice,) = body["choices"]
        return _heard(choice["message"], choice["finish_reason"], body["usage"])

    def events(self, body: bytes) -> list[Any]:
        """Chunks, and the end."""
        return json_events(body)

    def put_together(self, events: Sequence[Any]) -> Heard:
        """What the chunks amount to; the last of all is the one with the usage."""
        *chunks, done = events
        assert done == DONE
        message: dict[str, Any] = {"content": None}
        finish, usage = None, None
        for chunk in chunks:
            assert chunk["object"] == "chat.completion.chunk"
            if not chunk["choices"]:
                usage = chunk["usage"]
                continue
            assert chunk.get("usage") is None
            assert usage is None
            (choice,) = chunk["choices"]
            assert finish is None
            finish = choice["finish_reason"]
            _add(message, choice["delta"])
        return _heard(message, finish, usage)

    def unfinished(self, events: Sequence[Any]) -> str:
        """The words; a finish reason would be an end."""
        choices = [chunk["choices"][0] for chunk in events]
        assert {None} == {choice["finish_reason"] for choice in choices}
        return "".join(choice["delta"].get("content") or "" for choice in choices).strip()

    def error_in(self, event: Any) -> Wrong | None:
        """The `error` of four fields."""
        if not isinstance(event, dict) or "error" not in event:
            return None
        error = event["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert isinstance(error["code"], str | None)
        return Wrong(error["message"], error["type"], error["code"])


def _add(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    """As the SDK does: whatever comes twice is added, so what may come once only must."""
    for name, value in delta.items():
        if value is None or name == "index":
            continue
        if isinstance(value, str) and name not in {"signature", "data"}:
            assert name not in _ONCE or name not in whole, f"{name} came twice"
            whole[name] = (whole.get(name) or "") + value
        elif isinstance(value, list):
            entries = whole.setdefault(name, [])
            for entry in value:
                assert 0 <= entry["index"] <= len(entries)
                if entry["index"] == len(entries):
                    entries.append({})
                _add(entries[entry["index"]], entry)
        elif isinstance(value, dict):
            _add(whole.setdefault(name, {}), value)
        else:
            whole[name] = value


def _heard(message: dict[str, Any], finish: str | None, usage: Any) -> Heard:
    calls = tuple(
        Called(call["id"], call["function"]["name"], orjson.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or ()
    )
    kept = {name: value for name, value in message.items() if value is not None}
    return Heard(
        text=message.get("content") or "",
        thoughts=message.get("reasoning_content") or "",
        refusal=message.get("refusal") or "",
        calls=calls,
        finish=finish,
        usage=_usage(usage),
        turns=(kept | {"role": "assistant"},),
    )


def _usage(stated: Any) -> dict[str, int] | None:
    if stated is None:
        return None
    assert stated["total_tokens"] == stated["prompt_tokens"] + stated["completion_tokens"]
    prompt, completion = stated.get("prompt_tokens_details") or {}, stated.get("completion_tokens_details") or {}
    return {
        "input": stated["prompt_tokens"],
        "output": stated["completion_tokens"],
        "cached": prompt.get("cached_tokens", 0),
        "written": prompt.get("cache_write_tokens", 0),
        "reasoning": completion.get("reasoning_tokens", 0),
    }
