"""The tools `complete_text` and `complete_chat`: any model, for clients that know tools and no vendor's API."""

from dataclasses import replace
from typing import Any

import orjson

from understudy_proxy.dialects.fields import optional_string, string
from understudy_proxy.doors.mcp.calling import Calling, McpTool, Outcome
from understudy_proxy.doors.mcp.choosing import Choosing
from understudy_proxy.doors.mcp.conversing import Heard, converse
from understudy_proxy.doors.mcp.errors import about
from understudy_proxy.doors.plain.asked import read_fields
from understudy_proxy.doors.plain.said import content_of, ending_of
from understudy_proxy.doors.services import Services
from understudy_proxy.doors.sessions.turns import HEADER
from understudy_proxy.mcp.results import ToolResult
from understudy_proxy.sessions.session import FIELD

_OWN = ("model", "provider", "prompt", "system", "system_prompt", FIELD)
_MODEL: dict[str, Any] = {
    "model": {
        "type": "string",
        "description": "A route, persona/NAME or PROVIDER/MODEL; the default model where there is none.",
    },
    "provider": {"type": "string", "description": "Ask this provider, without anybody to step in for it."},
}
_PARAMETERS: dict[str, Any] = {
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "max_tokens": {"type": "integer", "minimum": 1, "description": "The longest that the answer may be."},
    "stop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    FIELD: {"type": "string", "description": "A session of POST /v1/sessions, which this is a turn of."},
}
_MESSAGE: dict[str, Any] = {
    "type": "object",
    "properties": {"role": {"type": "string"}, "content": {}},
    "required": ["role"],
}
_TEXT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "prompt": {"type": "string", "description": "What to answer."},
        "system": {"type": "string", "description": "How to answer."},
        **_MODEL,
        **_PARAMETERS,
    },
    "required": ["prompt"],
}
_CHAT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "messages": {
            "type": "array",
            "items": _MESSAGE,
            "minItems": 1,
            "description": "The conversation so far, in the form of OpenAI's chat completions.",
        },
        **_MODEL,
        **_PARAMETERS,
        "tools": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Functions that the model may call, in the same form; its calls come back as tool_calls.",
        },
        "tool_choice": {},
        "response_format": {"type": "object"},
    },
    "required": ["messages"],
}
_USAGE: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "properties": {
                name: {"type": "integer"} for name in ("prompt_tokens", "completion_tokens", "total_tokens")
            },
        },
        {"type": "null"},
    ]
}
_ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "content": {"type": "string"},
        "finish_reason": {"type": "string"},
        "tool_calls": {"type": "array", "items": {"type": "object"}},
        "usage": _USAGE,
        "provider": {"type": ["string", "null"]},
        "model": {"type": ["string", "null"]},
    },
    "required": ["content", "finish_reason", "usage", "provider", "model"],
}


class Completing:
    """Completes texts and conversations."""

    def __init__(self, services: Services) -> None:
        self._asking = services.asking
        self._sessions = services.sessions
        self._names = services.names
        self._choosing = Choosing(services.names)

    def tools(self) -> tuple[McpTool, ...]:
        """Both."""
        return (
            McpTool(
                "complete_text",
                "Ask a large language model one thing, and get its answer.",
                _TEXT_SCHEMA,
                self._text,
                title="Complete a text",
                output_schema=_ANSWER_SCHEMA,
            ),
            McpTool(
                "complete_chat",
                "Have a conversation with a large language model go on.",
                _CHAT_SCHEMA,
                self._chat,
                title="Complete a chat",
                output_schema=_ANSWER_SCHEMA,
            ),
        )

    async def _text(self, calling: Calling) -> Outcome:
        given = calling.arguments
        messages = [{"role": "user", "content": string(given.get("prompt"), "prompt")}]
        system = optional_string(given, "system", "") or optional_string(given, "system_prompt", "")
        if system:
            messages.insert(0, {"role": "system", "content": system})
        return await self._answer(calling, {**given, "messages": messages})

    async def _chat(self, calling: Calling) -> Outcome:
        return await self._answer(calling, dict(calling.arguments))

    async def _answer(self, calling: Calling, fields: dict[str, Any]) -> Outcome:
        request = calling.request
        chat, beside = read_fields({FIELD: request.headers.get(HEADER), **fields}, beside=_OWN)
        chat = replace(chat, model=self._choosing.model(request, beside))
        session_id = self._sessions.named(request, beside[FIELD])
        policy = self._names.target(self._names.runtime(), chat.model, namespace=self._names.namespace(request)).session
        async with self._sessions.asking(request, session_id, policy, by=self._asking) as asking:
            return _told(await converse(asking, calling, chat, frame=str))


def _told(heard: Heard) -> Outcome:
    candidate = heard.how.course.candidate
    content = content_of(heard.said)
    answer = {
        "content": content,
        **ending_of(heard.said, heard.usage),
        "provider": candidate.upstream.name if candidate else None,
        "model": candidate.model if candidate else None,
    }
    headers = heard.how.headers
    # Without words there are calls of tools, which a model cannot read elsewhere.
    text = content or orjson.dumps(answer).decode()
    return Outcome(ToolResult(text, answer, meta=about(headers)), headers)
