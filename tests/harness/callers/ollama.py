"""Ollama's client, in its own chat."""

from collections.abc import Sequence
from typing import Any

import orjson

from harness.callers.caller import PNG, SCHEMA, TOOLS, Asking, Called, Caller, Heard, Turn, Wrong

_TOOLS = [{"type": "function", "function": {"name": name, "description": "", "parameters": SCHEMA}} for name in TOOLS]


class Ollama(Caller):
    """Reads streams line by line."""

    counts = frozenset({"input", "output"})

    def path(self, asking: Asking) -> str:  # noqa: ARG002 - the same for all
        """Of both."""
        return "/api/chat"

    def body(self, asking: Asking) -> dict[str, Any]:
        """The request; a stream is what comes without saying."""
        body: dict[str, Any] = {"model": asking.model, "messages": list(asking.turns)}
        if not asking.stream:
            body["stream"] = False
        if asking.tools:
            body["tools"] = _TOOLS
        if asking.think:
            body["think"] = True
        if asking.most is not None:
            body["options"] = {"num_predict": asking.most}
        return body

    def user(self, text: str, *, image: bool = False) -> Turn:
        """A message."""
        return {"role": "user", "content": text} | ({"images": [PNG]} if image else {})

    def results(self, calls: Sequence[Called], *texts: str) -> list[Turn]:
        """A message each; which call it belongs to is told by its name and place."""
        return [
            {"role": "tool", "tool_name": call.name, "content": text} for call, text in zip(calls, texts, strict=True)
        ]

    def read(self, body: Any) -> Heard:
        """The only line."""
        return self.put_together([body])

    def events(self, body: bytes) -> list[Any]:
        """The lines."""
        *lines, rest = body.split(b"\n")
        if rest:  # a whole answer is no line
            lines.append(rest)
        return [orjson.loads(line) for line in lines]

    def put_together(self, events: Sequence[Any]) -> Heard:
        """What the lines amount to; the last one says that it is."""
        assert [line["done"] for line in events] == [False] * (len(events) - 1) + [True]
        messages = [line["message"] for line in events]
        stated = [call for message in messages for call in message.get("tool_calls", ())]
        calls = tuple(
            Called(call.get("id", ""), call["function"]["name"], call["function"]["arguments"]) for call in stated
        )
        thoughts = "".join(message.get("thinking", "") for message in messages)
        text = "".join(message["content"] for message in messages)
        turn = {"role": "assistant", "content": text}
        last = events[-1]
        return Heard(
            text=text,
            thoughts=thoughts,
            calls=calls,
            finish="tool_calls" if calls and last["done_reason"] == "stop" else last["done_reason"],
            usage={"input": last["prompt_eval_count"], "output": last["eval_count"]} if "eval_count" in last else None,
            turns=(turn | ({"thinking": thoughts} if thoughts else {}) | ({"tool_calls": stated} if stated else {}),),
        )

    def unfinished(self, events: Sequence[Any]) -> str:
        """The words; no line is the last one."""
        assert {False} == {line["done"] for line in events}
        return "".join(line["message"]["content"] for line in events).strip()

    def error_in(self, event: Any) -> Wrong | None:
        """A text, and nothing else."""
        if "error" not in event:
            return None
        assert list(event) == ["error"]
        return Wrong(event["error"])
