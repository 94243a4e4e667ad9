"""OpenAI's Responses API: `POST /v1/responses`, in one piece or as named events. The rest is as in `openai`.

Nothing is stored: `previous_response_id` is taken and told again, and what it stands for is unknown. Reading and
deleting responses, conversations, background mode and the tools that OpenAI runs itself are left out.
"""

from itertools import count
from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects.dialect import Head, Stamp, check_method
from understudy.mock.dialects.openai import OpenAI, error_of
from understudy.mock.dialects.responses_items import Json, events_of, items_of
from understudy.mock.dialects.responses_requests import read_response
from understudy.mock.failures import Failure
from understudy.mock.replies import Finish, Reply, Usage

_PATH = "/v1/responses"
# Who makes an error that a script puts into a stream does not know how many events came before it.
_AFTER_ALL = 1_000_000


class Responses(OpenAI):
    """OpenAI's dialect as far as it is about responses."""

    def find(self, head: Head) -> Call | None:
        """One path alone."""
        if head.path != _PATH:
            return None
        check_method(head, "POST")
        return Call(Operation.CHAT)

    def chat(self, call: Call, body: Any) -> Chat:  # noqa: ARG002 - the model is in the body
        """Read the body of a response."""
        return read_response(body)

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """A `response`."""
        return orjson.dumps(_ended(chat, reply, stamp))

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """Named events; what begins an item goes out with its first content, and what ends it with what follows."""
        begun, ended = _response(chat, stamp, status="in_progress"), _ended(chat, reply, stamp)
        number = count()
        opening = [{"type": f"response.{name}", "response": begun} for name in ("created", "in_progress")]
        opened = tuple(_event(event, next(number)) for event in opening)
        pieces: list[bytes] = []
        before = b""
        for event in events_of(reply.choices[0], stamp):
            before += _event(event, next(number))
            if event["type"].endswith(".delta"):
                pieces.append(before)
                before = b""
        closing = _event({"type": f"response.{ended['status']}", "response": ended}, next(number))
        return Stream(opened, tuple(pieces), (before, closing))

    def error_event(self, call: Call, failure: Failure, stamp: Stamp, *, first: bool) -> bytes:  # noqa: ARG002
        """An `error` before anything was said, and a response that failed after it."""
        error = error_of(failure)
        code = error["code"] or error["type"]
        if first:
            told = {"type": "error", "code": code, "message": failure.message, "param": failure.param}
            return _event(told, 0)
        failed = _response(Chat(stamp.name), stamp, status="failed")
        failed["error"] = {"code": code, "message": failure.message}
        return _event({"type": "response.failed", "response": failed}, _AFTER_ALL)


def _ended(chat: Chat, reply: Reply, stamp: Stamp) -> Json:
    """Return the response as it is when all is said."""
    choice = reply.choices[0]
    cut = choice.finish is Finish.LENGTH
    return _response(chat, stamp, status="incomplete" if cut else "completed") | {
        "output": items_of(choice, stamp),
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "usage": _usage(reply.usage),
    }


def _response(chat: Chat, stamp: Stamp, *, status: str) -> Json:
    """Return a response that has said nothing."""
    return {
        "id": f"resp_{stamp.name}_{stamp.number}",
        "object": "response",
        "created_at": stamp.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": chat.max_tokens,
        "metadata": {},
        "model": chat.model,
        "output": [],
        "parallel_tool_calls": chat.parallel,
        "previous_response_id": chat.variant or None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [_tool(tool.name, tool.parameters) for tool in chat.tools],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
    }


def _tool(name: str, parameters: Any) -> Json:
    return {"type": "function", "name": name, "description": None, "parameters": parameters, "strict": False}


def _usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.written_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _event(content: Json, number: int) -> bytes:
    named = content["type"].encode()
    return b"event: %b\ndata: %b\n\n" % (named, orjson.dumps(content | {"sequence_number": number}))
