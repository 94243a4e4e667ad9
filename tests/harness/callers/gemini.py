"""Google's client, in generateContent."""

from collections.abc import Sequence
from typing import Any

from harness.callers.caller import PNG, SCHEMA, TOOLS, Asking, Called, Caller, Heard, Turn, Wrong
from harness.callers.server_sent import json_events

_TOOLS = [{"functionDeclarations": [{"name": name, "parametersJsonSchema": SCHEMA} for name in TOOLS]}]
_FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "MALFORMED_FUNCTION_CALL": "stop",  # the arguments of a call were no object
}
_BUDGET = 1024


class Gemini(Caller):
    """Keeps every part it got as it came, as chats of `google-genai` do."""

    counts = frozenset({"input", "output", "cached", "reasoning"})
    headers = {"content-type": "application/json", "x-goog-api-key": "k"}

    def path(self, asking: Asking) -> str:
        """The method is in it."""
        method = "streamGenerateContent?alt=sse" if asking.stream else "generateContent"
        return f"/v1beta/models/{asking.model}:{method}"

    def body(self, asking: Asking) -> dict[str, Any]:
        """The request."""
        body: dict[str, Any] = {"contents": list(asking.turns)}
        if asking.tools:
            body["tools"] = _TOOLS
        config: dict[str, Any] = {}
        if asking.think:
            config["thinkingConfig"] = {"includeThoughts": True, "thinkingBudget": _BUDGET}
        if asking.most is not None:
            config["maxOutputTokens"] = asking.most
        return body | ({"generationConfig": config} if config else {})

    def user(self, text: str, *, image: bool = False) -> Turn:
        """A content."""
        picture = [{"inlineData": {"mimeType": "image/png", "data": PNG}}] if image else []
        return {"role": "user", "parts": [{"text": text}, *picture]}

    def results(self, calls: Sequence[Called], *texts: str) -> list[Turn]:
        """One content with all of them."""
        parts = []
        for call, text in zip(calls, texts, strict=True):
            response: dict[str, Any] = {"name": call.name, "response": {"result": text}}
            parts.append({"functionResponse": response | ({"id": call.id} if call.id else {})})
        return [{"role": "user", "parts": parts}]

    def read(self, body: Any) -> Heard:
        """A `GenerateContentResponse`."""
        return self.put_together([body])

    def events(self, body: bytes) -> list[Any]:
        """Several of them."""
        return json_events(body)

    def put_together(self, events: Sequence[Any]) -> Heard:
        """What they amount to: the last says why it ended."""
        parts: list[dict[str, Any]] = []
        finish, usage = None, None
        for event in events:
            (candidate,) = event["candidates"]
            assert finish is None
            finish = candidate.get("finishReason")
            parts += candidate.get("content", {}).get("parts", [])
            usage = event.get("usageMetadata", usage)
        calls = tuple(
            Called(call.get("id", ""), call["name"], call["args"])
            for part in parts
            if (call := part.get("functionCall")) is not None
        )
        ended = None if finish is None else _FINISH[finish]
        return Heard(
            text="".join(part["text"] for part in parts if "text" in part and not part.get("thought")),
            thoughts="".join(part["text"] for part in parts if part.get("thought")),
            calls=calls,
            finish="tool_calls" if calls and ended == "stop" else ended,
            usage=_usage(usage),
            turns=({"role": "model", "parts": parts},) if parts else (),
        )

    def unfinished(self, events: Sequence[Any]) -> str:
        """The words; a finish reason would be an end."""
        candidates = [event["candidates"][0] for event in events]
        assert not any("finishReason" in candidate for candidate in candidates)
        return "".join(part["text"] for one in candidates for part in one["content"]["parts"]).strip()

    def error_in(self, event: Any) -> Wrong | None:
        """A `google.rpc.Status`; the first key tells it in a stream."""
        if next(iter(event)) != "error":
            return None
        error = event["error"]
        assert list(error)[:3] == ["code", "message", "status"]
        details = {detail["@type"].rpartition(".")[2]: detail for detail in error.get("details", ())}
        delay = details.get("RetryInfo", {}).get("retryDelay")
        return Wrong(
            error["message"],
            error["status"],
            details.get("ErrorInfo", {}).get("reason"),
            float(delay.removesuffix("s")) if delay else None,
        )


def _usage(stated: Any) -> dict[str, int] | None:
    if stated is None:
        return None
    thoughts, said = stated.get("thoughtsTokenCount", 0), stated.get("candidatesTokenCount", 0)
    assert stated["totalTokenCount"] == stated["promptTokenCount"] + said + thoughts or not said
    return {
        "input": stated["promptTokenCount"],
        "output": said + thoughts,
        "cached": stated.get("cachedContentTokenCount", 0),
        "reasoning": thoughts,
    }
