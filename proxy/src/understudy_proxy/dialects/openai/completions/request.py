"""A client's request to go on with a text."""

from dataclasses import dataclass
from typing import Any

from understudy_api.config import Capability
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.fields import (
    invalid,
    missing,
    optional_boolean,
    optional_mapping,
    wrong_type,
)
from understudy_proxy.dialects.interpretation import Asked
from understudy_proxy.dialects.openai.request import max_output, model_in, parse_object
from understudy_proxy.dialects.parameters import choices_asked, read_parameters
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.routing.need import BYTES_PER_TOKEN, Need

_CAPABILITIES = frozenset({Capability.CHAT})
_STREAMED = _CAPABILITIES | {Capability.STREAMING}
_EXPECTED = "a string, an array of strings, an array of tokens or an array of arrays of tokens"
_ONLY_HERE = ("suffix", "echo", "best_of", "logprobs")
"""What a chat cannot say."""
_NOTHING = {"best_of": 1, "suffix": ""}
"""Values with which a field asks for nothing."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CompletionRequest(Asked):
    """A request to go on with a text."""

    include_usage: bool = False
    """The client asked for a usage chunk at the end of the stream."""
    choices: int = 1
    """How many texts come back."""


def read(raw: bytes, *, model: str | None = None) -> CompletionRequest:
    """Read the body of a request; `model` stands in the path where the body's does not count.

    Raises:
        RequestError: it is not one.
    """
    body = parse_object(raw)
    model = model or model_in(body)
    prompts = _prompts(body.get("prompt"))
    stream = optional_boolean(body, "stream", "") or False
    options = optional_mapping(body, "stream_options", "") or {}
    need = Need(
        capabilities=_STREAMED if stream else _CAPABILITIES,
        input_tokens=len(raw) // BYTES_PER_TOKEN,
        stream=stream,
        max_output_tokens=max_output(body),
    )
    return CompletionRequest(
        body=body,
        model=model,
        need=need,
        stream=stream,
        include_usage=stream and bool(options.get("include_usage")),
        choices=prompts * choices_asked(body),
    )


def chat_of(asked: CompletionRequest) -> Chat:
    """The request as a chat: the text is what the user says.

    Raises:
        RequestError: it is wrong.
        Unsupported: a chat cannot say it.
    """
    body = asked.body
    for name in _ONLY_HERE:
        value = body.get(name)
        if value is not None and value is not False and value != _NOTHING.get(name):
            raise Unsupported(f"Only a provider with OpenAI's completions takes {name!r}: ask in a chat.", param=name)
    parameters = read_parameters({k: v for k, v in body.items() if k != "prompt" and k not in _ONLY_HERE})
    return Chat(
        model=asked.model,
        messages=(Message(Role.USER, (Text(_one(body.get("prompt"))),)),),
        sampling=parameters.sampling,
        stream=asked.stream,
        extra=parameters.extra,
        **parameters.chat,
    )


def _prompts(value: Any) -> int:
    """How many there are."""
    if value is None:
        raise missing("prompt")
    if type(value) is str:
        return 1
    if type(value) is not list:
        raise wrong_type("prompt", _EXPECTED, value)
    if not value:
        raise invalid("prompt", "the array must not be empty.")
    return 1 if type(value[0]) is int else len(value)


def _one(prompt: Any) -> str:
    if type(prompt) is list and len(prompt) == 1:
        prompt = prompt[0]
    if type(prompt) is not str:
        raise Unsupported(
            "Only a provider with OpenAI's completions takes several prompts, or tokens: send one text.", param="prompt"
        )
    return prompt
