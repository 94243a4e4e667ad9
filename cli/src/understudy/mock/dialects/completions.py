"""OpenAI's older completions: a prompt in, a text out. Everything else is as in `openai`.

`echo`, `suffix`, `best_of` and logprobs change nothing here.
"""

from typing import Any

import orjson

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.delivery import Stream
from understudy.mock.dialects.dialect import Head, Stamp, check_method
from understudy.mock.dialects.openai import OpenAI
from understudy.mock.dialects.openai_fields import (
    as_object,
    as_text,
    field,
    named_model,
    number,
    stops,
    texts_or_tokens,
)
from understudy.mock.failures import bad_request
from understudy.mock.replies import Finish, Reply, tokens_in

_PATH = "/v1/completions"
_MOST_CHOICES = 128
# https://platform.openai.com/docs/api-reference/completions/create
_USUAL_MAX_TOKENS = 16
_FINISH = dict.fromkeys(Finish, "stop") | {Finish.LENGTH: "length", Finish.REFUSAL: "content_filter"}


class Completions(OpenAI):
    """OpenAI's dialect as far as it is about prompts."""

    def find(self, head: Head) -> Call | None:
        """One path alone."""
        if head.path != _PATH:
            return None
        check_method(head, "POST")
        return Call(Operation.CHAT)

    def chat(self, call: Call, body: Any) -> Chat:  # noqa: ARG002 - the model is in the body
        """Read the body of a completion."""
        return read_completion(body)

    def answer(self, chat: Chat, reply: Reply, stamp: Stamp) -> bytes:
        """A `text_completion`."""
        choices = [
            _choice(index, "".join(choice.pieces), _FINISH[choice.finish]) for index, choice in enumerate(reply.choices)
        ]
        return orjson.dumps(_completion(chat, stamp) | {"choices": choices, "usage": _usage(reply)})

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """The same object again and again, each with a piece of the text; several choices take turns."""
        head = _completion(chat, stamp) | ({"usage": None} if chat.stream_usage else {})
        turns = zip(*(choice.pieces for choice in reply.choices), strict=True)
        pieces = [_choice(index, piece, None) for turn in turns for index, piece in enumerate(turn)]
        endings = [_choice(index, "", _FINISH[choice.finish]) for index, choice in enumerate(reply.choices)]
        events = [_event(head | {"choices": [one]}) for one in [*pieces, *endings]]
        if chat.stream_usage:
            events.append(_event(head | {"choices": [], "usage": _usage(reply)}))
        return Stream((), tuple(events[: len(pieces)]), (*events[len(pieces) :], b"data: [DONE]\n\n"))


def read_completion(content: Any) -> Chat:
    """Read the body of `POST /v1/completions`."""
    body = as_object(content)
    prompts = texts_or_tokens(body, "prompt")
    choices = (number(body, "n", least=1) or 1) * len(prompts)
    if choices > _MOST_CHOICES:
        raise bad_request(f"'n' times the number of prompts must be at most {_MOST_CHOICES}.", param="n")
    stream = bool(field(body, "stream", bool))
    options = field(body, "stream_options", dict) or {}
    if options and not stream:
        raise bad_request("'stream_options' is only allowed when 'stream' is true.", param="stream_options")
    return Chat(
        model=named_model(body),
        said="\n".join(map(as_text, prompts)),
        prompt_tokens=sum(tokens_in(one) if isinstance(one, str) else len(one) for one in prompts),
        stream=stream,
        stream_usage=bool(field(options, "include_usage", bool)),
        choices=choices,
        max_tokens=number(body, "max_tokens", least=1) or _USUAL_MAX_TOKENS,
        stop=stops(body),
    )


def _completion(chat: Chat, stamp: Stamp) -> dict[str, Any]:
    return {
        "id": f"cmpl-{stamp.name}-{stamp.number}",
        "object": "text_completion",
        "created": stamp.created,
        "model": chat.model,
    }


def _choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _usage(reply: Reply) -> dict[str, int]:
    usage = reply.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(chunk)
