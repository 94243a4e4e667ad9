"""A canonical request to the body of one in this dialect."""

from dataclasses import dataclass
from typing import Any

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bedrock.blocks import Block, Blocks
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.canonical.chat import Chat, Tool, ToolMode
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.claude.json_tool import JSON_INSTRUCTION, choice_of, offered, with_type
from understudy_proxy.dialects.claude.models import claude
from understudy_proxy.dialects.claude.sampling import drawn, lower_temperature
from understudy_proxy.dialects.claude.thinking import NOT_AT_ALL, Thought, thought
from understudy_proxy.dialects.request_error import RequestError, Unsupported

_NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
_INFERENCE = {"temperature": "temperature", "top_p": "topP"}
_NO_MORE_CALLS = "Call no tool any more: answer with what you have."
_TIERS = frozenset({"default", "flex", "priority"})
_ROOM_TO_ANSWER = 4096
"""Tokens beside what is thought."""
_LEFT_OUT = ("frequency_penalty", "presence_penalty", "seed", "logit_bias")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request, and what reading its answer takes."""

    body: dict[str, Any]
    names: Renaming
    ids: Renaming
    json_tool: bool
    """An answer to a JSON Schema comes as a call of `json_tool.JSON_TOOL`."""
    is_claude: bool
    stop: tuple[str, ...]
    """The sequences at which the answer ends."""
    warnings: tuple[str, ...]


def encode(chat: Chat, candidate: Candidate) -> Encoded:
    """The request as `candidate` is to get it.

    Raises:
        RequestError: it is wrong.
        Unsupported: this dialect cannot say it.
    """
    encoding = _Encoding(chat, candidate)
    return Encoded(
        body=encoding.body(),
        names=encoding.blocks.names,
        ids=encoding.blocks.ids,
        json_tool=encoding.for_json,
        is_claude=encoding.is_claude,
        stop=tuple(chat.sampling.stop),
        warnings=tuple(encoding.blocks.warnings),
    )


def to_count(encoded: Encoded) -> dict[str, Any]:
    """The same request as it is to be counted, not answered."""
    counted = ("messages", "system", "toolConfig", "additionalModelRequestFields")
    return {"input": {"converse": {name: encoded.body[name] for name in counted if name in encoded.body}}}


class _Encoding:
    """One request on its way into this dialect."""

    def __init__(self, chat: Chat, candidate: Candidate) -> None:
        if chat.choices > 1:
            raise Unsupported("Bedrock gives one answer at a time: ask with n = 1, several times.", param="n")
        if chat.sampling.logprobs or chat.sampling.top_logprobs is not None:
            raise Unsupported("Bedrock gives no probabilities of tokens.", param="logprobs")
        # The id of an inference profile does not say whose model it is; the name that users know may.
        model = candidate.upstream_model if _is_telling(candidate.upstream_model) else candidate.model
        self.is_claude = "claude" in model.lower()
        self.blocks = Blocks(is_claude=self.is_claude, caches=self.is_claude or "nova" in model.lower())
        self._model = claude(model)
        self._chat = chat
        asks_schema = chat.format is not None and chat.format.schema is not None
        self._native_json = asks_schema and (self._model.json_schema or not self.is_claude)
        self.for_json = asks_schema and not self._native_json

    def body(self) -> dict[str, Any]:
        """All of it."""
        chat, blocks = self._chat, self.blocks
        for name in chat.extra:
            blocks.warn(f"'{name[:64]}' was left out: Bedrock has no such parameter.")
        body: dict[str, Any] = {"messages": blocks.messages(chat.messages)}
        if system := self._system():
            body["system"] = system
        forced = False
        if (tools := self._tools()) is not None:
            body["toolConfig"] = tools
            if chat.tool_choice is not None and chat.tool_choice.mode is ToolMode.NONE and not self.for_json:
                body["messages"][-1]["content"].append({"text": _NO_MORE_CALLS})
            forced = "auto" not in tools.get("toolChoice", {"auto": {}})
        thinks = self._thought(forced=forced)
        additional = self._inference(body, thinks)
        self._add_output(body, additional, thinks)
        if additional:
            body["additionalModelRequestFields"] = additional
        self._add_service(body)
        return body

    def _system(self) -> list[Block]:
        system = self.blocks.texts(self._chat.system)
        if self._chat.format is not None and self._chat.format.schema is None:
            self.blocks.warn("JSON was asked for through the system prompt: Bedrock has no mode that promises it.")
            system.append({"text": JSON_INSTRUCTION})
        return system

    def _tools(self) -> dict[str, Any] | None:
        """Tools and their choice; those of the conversation must be declared even if none may be called."""
        chat = self._chat
        choice = choice_of(chat, for_json=self.for_json)
        tools = offered(chat, for_json=self.for_json)
        if choice.mode is ToolMode.NONE:
            if not self.blocks.called:
                return None
            if choice.firm:
                raise Unsupported(
                    "Bedrock cannot be told to call no tool while the conversation has calls.", param="tool_choice"
                )
        if not tools:
            if choice.mode is ToolMode.REQUIRED:
                raise RequestError("A tool must be called, but the request has none to call.", param="tool_choice")
            return self._stubs()
        if chat.parallel_tool_calls is False:
            self.blocks.warn("'parallel_tool_calls' was left out: Bedrock has no such parameter.")
        config: dict[str, Any] = {"tools": [block for tool in tools for block in self._tool(tool)]}
        if choice.mode is ToolMode.REQUIRED:
            named = len(choice.names) == 1
            config["toolChoice"] = (
                {"tool": {"name": self.blocks.names.given(choice.names[0])}} if named else {"any": {}}
            )
        return config

    def _stubs(self) -> dict[str, Any] | None:
        """Declarations of the tools that the conversation speaks of and the client does not declare any more."""
        if not self.blocks.called:
            return None
        self.blocks.warn("The conversation's tools were declared again: Bedrock takes no calls of tools that are not.")
        return {"tools": [{"toolSpec": _spec(name)} for name in self.blocks.called]}

    def _tool(self, tool: Tool) -> list[Block]:
        spec = _spec(self.blocks.names.given(tool.name))
        if tool.description:
            spec["description"] = tool.description
        if tool.parameters:
            spec["inputSchema"] = {"json": with_type(tool.parameters)}
        if tool.strict and self._model.json_schema:
            spec["strict"] = True
        elif tool.strict:
            self.blocks.warn("Tools are not 'strict' with this model: it follows their schemas without a guarantee.")
        return [{"toolSpec": spec}, *self.blocks.mark(tool.cache)]

    def _thought(self, *, forced: bool) -> Thought:
        if self.is_claude:
            return thought(self._chat, self._model, forced=forced, warn=self.blocks.warn)
        if self._chat.reasoning is not None:
            self.blocks.warn("How hard to think was left out: Bedrock has no word for it that this model knows.")
        return NOT_AT_ALL

    def _inference(self, body: dict[str, Any], thinks: Thought) -> dict[str, Any]:
        """Add how tokens are drawn, and how many; what of it only Claude has a word for."""
        chat, blocks = self._chat, self.blocks
        for name in _LEFT_OUT:
            if getattr(chat.sampling, name) is not None:
                blocks.warn(f"'{name}' was left out: Bedrock has no such parameter.")
        given = self._drawn(thinks)
        config: dict[str, Any] = {said: given[name] for name, said in _INFERENCE.items() if name in given}
        if (longest := self._max_tokens(thinks)) is not None:
            config["maxTokens"] = longest
        if chat.sampling.stop:
            config["stopSequences"] = list(chat.sampling.stop)
        if config:
            body["inferenceConfig"] = config
        return {"top_k": given["top_k"]} if "top_k" in given else {}

    def _drawn(self, thinks: Thought) -> dict[str, float]:
        wanted = self._chat.sampling
        if self.is_claude:
            return drawn(wanted, self._model, thinks=thinks.on, warn=self.blocks.warn)
        given = {name: value for name in _INFERENCE if (value := getattr(wanted, name)) is not None}
        lower_temperature(given, self.blocks.warn)
        if wanted.top_k is not None:
            self.blocks.warn("'top_k' was left out: Bedrock has no word for it that this model knows.")
        return given

    def _max_tokens(self, thinks: Thought) -> int | None:
        """The client's bound; with a budget to think there has to be one."""
        if self._chat.max_tokens is not None or not thinks.budget:
            return self._chat.max_tokens
        return thinks.budget + _ROOM_TO_ANSWER

    def _add_output(self, body: dict[str, Any], additional: dict[str, Any], thinks: Thought) -> None:
        if thinks.thinking is not None:
            additional["thinking"] = thinks.thinking
        config: dict[str, Any] = {}
        if thinks.effort is not None:
            config["effort"] = thinks.effort
        wanted = self._chat.format
        if self._native_json and wanted is not None:
            schema = {"schema": written(dict(wanted.schema or {})).decode()}
            named = {"name": wanted.name, "description": wanted.description}
            schema |= {name: value for name, value in named.items() if value is not None}
            config["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}
        if config:
            body["outputConfig"] = config

    def _add_service(self, body: dict[str, Any]) -> None:
        if self._chat.user is not None:
            self.blocks.warn("'user' was left out: Bedrock has no such parameter.")
        tier = self._chat.service_tier
        if tier in _TIERS:
            body["serviceTier"] = {"type": tier}
        elif tier not in {None, "auto"}:
            self.blocks.warn(
                f"The service tier {str(tier)[:64]!r} was left out: Bedrock has {', '.join(sorted(_TIERS))}."
            )


def _spec(name: str) -> Block:
    return {"name": name, "inputSchema": {"json": _NO_ARGUMENTS}}


def _is_telling(model: str) -> bool:
    return ":application-inference-profile/" not in model and ":provisioned-model/" not in model
