"""A canonical request to the body of a chat completion request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.chat import Chat, JsonFormat, Sampling, Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import Message, Text
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.openai import reasoning
from understudy_proxy.dialects.openai.quirks import Prefill, Quirks, quirks_of
from understudy_proxy.dialects.openai.turns import Turns
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.dialects.unsaid import has_cache_marks

_NAME = re.compile(r"[A-Za-z0-9_-]")
_LONGEST_NAME = 64
_LONGEST_USER = 64
_MEANT = frozenset({"logprobs", "n"})
"""Left out, these change the answer's meaning."""
_FOR_MODELS_THAT_DO_NOT_REASON = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias")
_USUAL = {"temperature": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0}
_FORMAT_NAME = "answer"
_JSON = "Answer with a JSON object."


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request, and what reading its answer takes."""

    body: bytes
    names: Renaming
    warnings: tuple[str, ...]


def encode(chat: Chat, candidate: Candidate) -> Encoded:
    """The request as `candidate` is to get it.

    Raises:
        RequestError: it is wrong.
        Unsupported: this provider cannot be told.
    """
    quirks = quirks_of(candidate.upstream.type)
    encoding = _Encoding(chat, candidate, quirks)
    return Encoded(written(encoding.body()), encoding.names, tuple(encoding.warnings))


def left_out(name: str) -> str:
    """The warning for a field that a provider has no word for."""
    return f"'{name[:64]}' was left out: this provider has no such parameter."


class _Encoding:
    """One request in the making."""

    def __init__(self, chat: Chat, candidate: Candidate, quirks: Quirks) -> None:
        self._chat = chat
        self._candidate = candidate
        self._quirks = quirks
        self.names = Renaming(_NAME, _LONGEST_NAME)
        self.warnings: list[str] = []

    def body(self) -> dict[str, Any]:
        chat = self._chat
        turns = Turns(self._quirks, self.names)
        system = (*chat.system, *self._json_instruction())
        body: dict[str, Any] = {
            "model": self._candidate.upstream_model,
            "messages": [*turns.system(system), *turns.messages(chat.messages)],
        }
        self._add_prefill(body)
        self._add_tools(body)
        if chat.max_tokens is not None:
            body[self._quirks.max_tokens] = chat.max_tokens
        body |= _sampled(chat.sampling)
        if chat.choices > 1:
            body["n"] = chat.choices
        if chat.user:
            body["user"] = _user(chat.user)
        if chat.service_tier:
            body["service_tier"] = chat.service_tier
        if chat.format is not None:
            body["response_format"] = _format(chat.format)
        self._add_reasoning(body)
        self._add_extra(body)
        self._check_stops(body)
        self._leave_out(body)
        self._warn_of_cache_marks()
        if chat.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        self._quirks.apply(body)
        return body

    def _add_prefill(self, body: dict[str, Any]) -> None:
        """An answer that the conversation ends in is to be gone on with."""
        last = body["messages"][-1] if body["messages"] else {}
        if last.get("role") != "assistant" or "tool_calls" in last:
            return
        match self._quirks.prefill:
            case Prefill.MARKED:
                last["prefix"] = True
            case Prefill.TEMPLATE:
                body |= {"continue_final_message": True, "add_generation_prompt": False}
            case Prefill.UNTOLD:
                pass

    def _add_tools(self, body: dict[str, Any]) -> None:
        tools, choice = self._chat.tools, self._chat.tool_choice
        if choice is not None and choice.names and not (self._quirks.names_tools and _is_one(choice)):
            # Where the choice cannot be told among all, the others are not offered.
            tools = tuple(tool for tool in tools if tool.name in choice.names)
            choice = ToolChoice(choice.mode)
        if not tools:
            if choice is not None and choice.mode is ToolMode.REQUIRED:
                raise RequestError(
                    "'tool_choice' asks for a tool that is not among 'tools'.",
                    code="invalid_value",
                    param="tool_choice",
                )
            return
        body["tools"] = [self._tool(tool) for tool in tools]
        if choice is not None:
            body["tool_choice"] = self._choice(choice)
        if self._chat.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = self._chat.parallel_tool_calls

    def _tool(self, tool: Tool) -> dict[str, Any]:
        function: dict[str, Any] = {"name": self.names.given(tool.name)}
        if tool.description is not None:
            function["description"] = tool.description
        if tool.parameters is not None:
            function["parameters"] = _parameters(tool.parameters)
        if tool.strict is not None:
            function["strict"] = tool.strict
        return {"type": "function", "function": function}

    def _choice(self, choice: ToolChoice) -> Any:
        if choice.names:
            return {"type": "function", "function": {"name": self.names.given(choice.names[0])}}
        return self._quirks.required if choice.mode is ToolMode.REQUIRED else choice.mode.value

    def _add_reasoning(self, body: dict[str, Any]) -> None:
        if self._chat.reasoning is None:
            return
        said = reasoning.said(self._chat.reasoning, self._candidate, self._quirks)
        if said is None:
            self.warnings.append("What was said about reasoning was left out: this model is not known to reason.")
        else:
            body |= said

    def _warn_of_cache_marks(self) -> None:
        if not self._quirks.takes_cache_marks and has_cache_marks(self._chat):
            self.warnings.append("This provider caches by itself: cache marks were not sent.")

    def _add_extra(self, body: dict[str, Any]) -> None:
        for name, value in self._chat.extra.items():
            if name in self._quirks.knows:
                body[name] = value
            else:
                self.warnings.append(left_out(name))

    def _check_stops(self, body: dict[str, Any]) -> None:
        stops, most = body.get("stop", ()), self._quirks.stops
        if stops and reasoning.reasons(self._candidate, self._quirks):
            raise Unsupported(f"{self._candidate.upstream_model} takes no stop sequences.", param="stop")
        if most is not None and len(stops) > most:
            raise Unsupported(f"This provider takes at most {most} stop sequences.", param="stop")

    def _leave_out(self, body: dict[str, Any]) -> None:
        for name in sorted(self._quirks.unknown & body.keys()):
            if name in _MEANT:
                raise Unsupported(f"This provider has no parameter '{name}'.", param=name)
            del body[name]
            self.warnings.append(left_out(name))
        if not reasoning.reasons(self._candidate, self._quirks):
            return
        if "logprobs" in body:
            raise Unsupported(f"{self._candidate.upstream_model} has no logprobs.", param="logprobs")
        for name in _FOR_MODELS_THAT_DO_NOT_REASON:
            if body.pop(name, _USUAL.get(name)) != _USUAL.get(name):
                self.warnings.append(f"'{name}' was left out: this model reasons, and does not take it.")

    def _json_instruction(self) -> tuple[Text, ...]:
        """OpenAI refuses its JSON mode where nobody speaks of JSON."""
        chat = self._chat
        if chat.format is None or chat.format.schema is not None or _speaks_of_json(chat.system, chat.messages):
            return ()
        return (Text(_JSON),)


def _is_one(choice: ToolChoice) -> bool:
    return choice.mode is ToolMode.REQUIRED and len(choice.names) == 1


def _user(user: str) -> str:
    """Who it is, or, of a longer name than OpenAI takes, a hash, which is what OpenAI asks for anyway."""
    return user if len(user) <= _LONGEST_USER else sha256(user.encode(errors="replace")).hexdigest()


def _parameters(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """OpenAI refuses the schema of an object that says nothing of its properties."""
    return {**schema, "properties": {}} if schema.get("type") == "object" and "properties" not in schema else schema


def _sampled(sampling: Sampling) -> dict[str, Any]:
    stated = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "logit_bias": sampling.logit_bias,
        "logprobs": sampling.logprobs or None,
        "top_logprobs": sampling.top_logprobs if sampling.logprobs else None,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _format(wanted: JsonFormat) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name or _FORMAT_NAME, "schema": wanted.schema}
    if wanted.description is not None:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}


def _speaks_of_json(system: Sequence[Text], turns: Sequence[Message]) -> bool:
    texts = (part.text for turn in turns for part in turn.parts if isinstance(part, Text))
    return any("json" in text.lower() for text in (*(text.text for text in system), *texts))
