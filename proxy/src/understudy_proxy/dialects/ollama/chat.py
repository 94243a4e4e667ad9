"""A client's request in canonical form."""

from typing import Any, NamedTuple

from understudy_proxy.dialects.canonical.chat import Chat, Effort, JsonFormat, Reasoning, Sampling
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.fields import array, integer, invalid, number, optional_string, shown, string, strings
from understudy_proxy.dialects.ollama.conversation import Conversation, words_and_images
from understudy_proxy.dialects.ollama.request import OllamaRequest, max_tokens, read_options
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.dialects.tools import read_tools

_CHAT = frozenset(
    {"model", "name", "messages", "tools", "format", "options", "stream", "think", "logprobs", "top_logprobs"}
)
_GENERATE = frozenset(
    {"model", "name", "prompt", "system", "images", "format", "options", "stream", "think", "logprobs", "top_logprobs"}
)
_MEANINGFUL = ("template", "raw", "context", "suffix", "width", "height", "steps")
"""Fields of `/api/generate` that change what is asked, and that nobody else has."""
_SAMPLING = {
    "temperature": number,
    "top_p": number,
    "top_k": integer,
    "frequency_penalty": number,
    "presence_penalty": number,
    "seed": integer,
}
_READ = frozenset({*_SAMPLING, "num_predict", "stop"})


def chat_of(asked: OllamaRequest) -> Chat:
    """The request.

    Raises:
        RequestError: it is wrong.
        Unsupported: only Ollama's models can do what it asks for.
    """
    body = asked.body
    said = _generated(body) if asked.generate else _said(body, goes_on=asked.goes_on)
    parameters = read_parameters(body)
    read = _GENERATE if asked.generate else _CHAT
    extra = {name: value for name, value in body.items() if name not in read and value is not None}
    tools = body.get("tools")
    return Chat(
        model=asked.model,
        messages=said.messages,
        system=said.system,
        tools=() if tools is None or asked.generate else read_tools(tools),
        sampling=parameters.sampling,
        max_tokens=parameters.max_tokens,
        format=parameters.format,
        reasoning=parameters.reasoning,
        stream=asked.stream,
        extra=extra | parameters.extra,
    )


class Parameters(NamedTuple):
    """How an answer is to be made."""

    sampling: Sampling
    max_tokens: int | None
    format: JsonFormat | None
    reasoning: Reasoning | None
    extra: dict[str, Any]
    """Options that only Ollama's models have."""


def read_parameters(body: dict[str, Any]) -> Parameters:
    """What a request says about the answer.

    Raises:
        RequestError: a field is wrong.
    """
    options = read_options(body)
    given: dict[str, Any] = {
        name: read(value, f"options.{name}")
        for name, read in _SAMPLING.items()
        if (value := options.get(name)) is not None
    }
    sampling = Sampling(
        **given,
        stop=_stop(options.get("stop")),
        logprobs=body.get("logprobs") is True,
        top_logprobs=None if (top := body.get("top_logprobs")) is None else integer(top, "top_logprobs"),
    )
    extra = {f"options.{name}": value for name, value in options.items() if name not in _READ and value is not None}
    return Parameters(sampling, max_tokens(options), _format(body.get("format")), _reasoning(body.get("think")), extra)


class _Words(NamedTuple):
    messages: tuple[Message, ...]
    system: tuple[Text, ...]


def _said(body: dict[str, Any], *, goes_on: bool) -> _Words:
    conversation = Conversation(goes_on=goes_on)
    messages = conversation.read(array(body.get("messages"), "messages"))
    if not messages:
        raise _nothing("messages")
    return _Words(messages, tuple(conversation.system))


def _generated(body: dict[str, Any]) -> _Words:
    for name in _MEANINGFUL:
        if body.get(name):
            raise Unsupported(f"'{name}' means something to Ollama's own models only.", param=name)
    prompt, system = optional_string(body, "prompt", "") or "", optional_string(body, "system", "")
    parts = words_and_images(body, prompt, "")
    if not parts:
        raise _nothing("prompt")
    return _Words((Message(Role.USER, tuple(parts)),), (Text(system),) if system else ())


def _nothing(param: str) -> RequestError:
    return RequestError(
        f"'{param}' is empty, which loads a model of Ollama's; there is nothing to be loaded here: just ask.",
        code="invalid_value",
        param=param,
    )


def _stop(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if type(given) is str else strings(given, "options.stop")


def _format(given: Any) -> JsonFormat | None:
    if given in (None, ""):
        return None
    if given == "json":
        return JsonFormat()
    if type(given) is dict:
        return JsonFormat(given)
    raise invalid("format", "expected 'json' or a JSON Schema.")


def _reasoning(given: Any) -> Reasoning | None:
    if given is None:
        return None
    if type(given) is bool:
        return Reasoning(visible=True) if given else Reasoning(Effort.NONE)
    try:
        return Reasoning(Effort(string(given, "think").lower()), visible=True)
    except ValueError:
        raise invalid("think", f"expected true, false, 'low', 'medium' or 'high', but got {shown(given)}.") from None
