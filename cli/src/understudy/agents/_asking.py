"""A conversation as agents take it, and their answers as a client gives them. Pure.

The call is one `tools/call` of MCP without a session; the answer comes as server-sent events or as JSON. Pieces of it
come as progress, framed as a mesh frames them.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2

from understudy.agents._matching import Offer
from understudy.client import (
    BadRequest,
    ChatOptions,
    ChatResult,
    Chunk,
    Facts,
    Interrupted,
    InvalidAnswer,
    ProviderError,
    ProviderNotFound,
    UnderstudyError,
)
from understudy.client._requests import Call, Messages, chat_call
from understudy.client._results import chat_result

_FRAME = "_mesh_frame"
_PARAMS = ("model", "messages", "tools")
"""What of a request is no parameter of the model."""


def asked(messages: Messages, options: ChatOptions) -> dict[str, Any]:
    """The request that an agent is sent.

    Raises:
        TypeError: an option that there is not.
    """
    body = dict(chat_call("", messages, options, stream=False).body or {})
    params = {name: value for name, value in body.items() if name not in _PARAMS}
    match params.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": dict() as schema, "name": str() as name}}:
            params |= {"output_schema": schema, "output_type_name": name}
    return {"messages": body["messages"], "tools": body.get("tools"), "model_params": params or None,
            "context": None, "request_id": None, "caller_agent": None}  # fmt: skip


def agent_call(offer: Offer, request: Mapping[str, Any], *, stream: bool, trace: Mapping[str, str]) -> Call:
    """The call of an agent's function, in the trace that it belongs to."""
    params: dict[str, Any] = {"name": offer.function, "arguments": {"request": request, **trace}}
    if stream:
        params["_meta"] = {"progressToken": 1}
    return Call("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})


def agent_headers(timeout: float) -> dict[str, str]:
    """What every agent is told: it may stream, and how many seconds somebody waits."""
    return {"accept": "application/json, text/event-stream", "x-mesh-timeout": str(max(1, int(timeout)))}


def is_stream(response: httpx2.Response) -> bool:
    """Whether a success comes as events."""
    return response.headers.get("content-type", "").startswith("text/event-stream")


def as_event(content: bytes, whole: httpx2.Response) -> httpx2.Response:
    """An answer in one piece, which has this content, as the only event of a stream.

    Raises:
        InvalidAnswer: it is no JSON.
    """
    try:
        data = json.dumps(json.loads(content)).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer("what the agent answers is not JSON: is the address an agent's?") from error
    headers = {"content-type": "text/event-stream"}
    return httpx2.Response(200, headers=headers, content=b"data: " + data + b"\n\n", request=whole.request)


def refused(error: UnderstudyError, offer: Offer) -> UnderstudyError:
    """The error for an agent's refusal: whatever it finds wrong with a call, it is the agent that does not work."""
    message = f"the agent {offer.agent} refused: {error}"
    facts = replace(error.facts, provider=offer.agent)
    if isinstance(error, BadRequest | ProviderNotFound | InvalidAnswer):
        return ProviderError(message, facts)
    return type(error)(message, facts)


class AgentFold:
    """An agent's answer so far, from the data of events."""

    def __init__(self, offer: Offer, *, stream: bool) -> None:
        """Of a function that is offered; without `stream` its progress is not its text."""
        self._offer = offer
        self._stream = stream
        self._said: list[str] = []
        self._whole: ChatResult | None = None

    @property
    def is_done(self) -> bool:
        """Whether the result has come."""
        return self._whole is not None

    def add(self, data: str) -> Chunk | None:
        """The piece in the data of an event; None for one without.

        Raises:
            ProviderError: the agent has failed.
            Interrupted: it failed after it had begun.
            InvalidAnswer: it does not speak as agents do.
        """
        try:
            raw = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise InvalidAnswer(f"what the agent {self._offer.agent} answers is not JSON") from error
        if not isinstance(raw, dict):
            raise InvalidAnswer(f"what the agent {self._offer.agent} answers is no message of MCP")
        if raw.get("method") == "notifications/progress":
            return self._piece(raw) if self._stream else None
        if "result" in raw or "error" in raw:
            return self._end(raw)
        return None

    def result(self) -> ChatResult:
        """The whole answer, or what there is of it."""
        return self._whole or ChatResult("".join(self._said), provider=self._offer.agent)

    def end(self, cause: Exception | None = None) -> None:
        """No event comes any more, because of `cause` or in good order.

        Raises:
            Interrupted: before the result.
        """
        if self._whole is None:
            why = f": {cause}" if cause and str(cause) else ""
            said = f"the agent {self._offer.agent} broke off before its answer did{why}"
            raise Interrupted(said, so_far=self.result()) from cause

    def _piece(self, raw: Mapping[str, Any]) -> Chunk | None:
        params = raw.get("params")
        text = _unframed(params.get("message") if isinstance(params, dict) else None)
        if text:
            self._said.append(text)
        return Chunk(text, raw=raw) if text else None

    def _end(self, raw: Mapping[str, Any]) -> Chunk | None:
        result = raw.get("result")
        if not isinstance(result, dict) or result.get("isError"):
            raise self._failed(raw)
        whole = _result(_message(result), self._offer)
        streamed = "".join(self._said)
        self._whole = replace(whole, text=streamed) if streamed else whole
        # Who does not stream says all of it now.
        text = "" if streamed else whole.text
        return Chunk(text, finish_reason=whole.finish_reason, raw=raw)

    def _failed(self, raw: Mapping[str, Any]) -> ProviderError | Interrupted:
        error, result = raw.get("error"), raw.get("result")
        said = error.get("message") if isinstance(error, dict) else _text_of(result) if isinstance(result, dict) else ""
        message = f"the agent {self._offer.agent} failed: {said or 'without a word'}"
        facts = Facts(provider=self._offer.agent, body=dict(raw))
        return Interrupted(message, facts, so_far=self.result()) if self._said else ProviderError(message, facts)


def _unframed(message: Any) -> str:
    """The text of a piece; what has no frame is text."""
    if not isinstance(message, str):
        return ""
    try:
        frame = json.loads(message)
    except (ValueError, RecursionError):
        return message
    if not (isinstance(frame, dict) and _FRAME in frame):
        return message
    content = frame.get("content")
    return content if frame[_FRAME] == "chunk" and isinstance(content, str) else ""


def _message(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The assistant's message in a result: structured, as JSON in a text, or a mere text."""
    structured = result.get("structuredContent")
    if isinstance(structured, dict) and "content" in structured:
        return structured
    text = _text_of(result)
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return {"content": text}
    return decoded if isinstance(decoded, dict) and "content" in decoded else {"content": text}


def _result(message: Mapping[str, Any], offer: Offer) -> ChatResult:
    usage = message.get("_mesh_usage")
    counted: dict[str, Any] = usage if isinstance(usage, dict) else {}
    why = message.get("_mesh_stop_reason") or ("tool_calls" if message.get("tool_calls") else "stop")
    choice = {"message": dict(message), "finish_reason": why}
    raw = {"choices": [choice], "usage": usage, "model": counted.get("model")}
    return replace(chat_result(raw, {}), provider=offer.agent, attempts=1)


def _text_of(result: Mapping[str, Any]) -> str:
    content = result.get("content")
    parts = [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []
    return "".join(text for each in parts if isinstance(text := each.get("text"), str))
