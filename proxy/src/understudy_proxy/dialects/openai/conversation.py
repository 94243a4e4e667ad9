"""A client's messages, turned into turns.

OpenAI has a message for each system prompt and each result of a tool, anywhere; canonically the prompts stand apart, in
their order, and what comes between two answers of the model is one turn of the user, results of tools first.
"""

from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.canonical.content import (
    AssistantPart,
    Issuer,
    Message,
    Part,
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.canonical.signatures import untagged
from understudy_proxy.dialects.fields import (
    array,
    invalid,
    mapping,
    missing,
    optional_string,
    shown,
    string,
    unknown,
    wrong_type,
)
from understudy_proxy.dialects.openai.parts import read_result, read_texts, read_user_content
from understudy_proxy.dialects.request_error import RequestError, Unsupported

_NAMES = "messages[].name"
_REASONING = ("reasoning_content", "reasoning")


class Conversation:
    """Messages, one after the other; with `goes_on` some came before, and results may answer calls in those."""

    def __init__(self, *, goes_on: bool = False) -> None:
        self._goes_on = goes_on
        self.system: list[Text] = []
        self.extra: dict[str, Any] = {}
        """What of the messages has no place in the canonical form."""
        self._turns: list[Message] = []
        self._results: list[Part] = []
        self._said: list[Part] = []
        self._answers: list[Part] = []
        self._calls: dict[str, str] = {}
        """The names of the functions that were called, by the id of the call."""
        self._older: dict[str, str] = {}
        """The ids of calls without one, by the name of the function."""

    def add(self, message: Mapping[str, Any], param: str) -> None:
        """Take the next message.

        Raises:
            RequestError: it is wrong.
            Unsupported: it holds what the canonical form has no place for.
        """
        role = string(message.get("role"), f"{param}.role")
        if role != "function" and message.get("name") is not None:
            self.extra[_NAMES] = message["name"]
        match role:
            case "user":
                self._user(read_user_content(message.get("content"), f"{param}.content"))
            case "assistant":
                self._assistant(message, param)
            case "tool":
                self._tool(message, param)
            case "system" | "developer":
                self.system += _joined(read_texts(message.get("content"), f"{param}.content"))
            case "function":
                self._function(message, param)
            case _:
                words = "'system', 'developer', 'user', 'assistant', 'tool' or 'function'"
                raise invalid(f"{param}.role", f"expected {words}, but got {shown(role)}.")

    def turns(self) -> tuple[Message, ...]:
        """All of them, once every message was added.

        Raises:
            RequestError: there is none.
        """
        self._end_user()
        self._end_assistant()
        if not self._turns:
            raise RequestError(
                "Invalid 'messages': at least one message must be of another role than 'system' and 'developer'.",
                code="invalid_value",
                param="messages",
            )
        return tuple(self._turns)

    def _user(self, parts: list[Any]) -> None:
        self._end_assistant()
        self._said += parts

    def _assistant(self, message: Mapping[str, Any], param: str) -> None:
        self._end_user()
        if message.get("audio") is not None:
            raise Unsupported(
                f"{param}.audio names sound that only the provider has which made it: send what was said as content.",
                param=f"{param}.audio",
            )
        calls = _calls(message, param)
        function = message.get("function_call")
        if function is not None and not calls:
            calls = [self._older_call(mapping(function, f"{param}.function_call"), f"{param}.function_call")]
        self._calls.update((call.id, call.name) for call in calls)
        self._answers += [*_thinking(message, param), *_words(message, param), *calls]

    def _older_call(self, function: Mapping[str, Any], param: str) -> ToolCall:
        name = string(function.get("name"), f"{param}.name")
        call_id = self._older[name] = f"call_{len(self._calls)}"
        return ToolCall(call_id, name, optional_string(function, "arguments", param) or "{}")

    def _tool(self, message: Mapping[str, Any], param: str) -> None:
        call_id = string(message.get("tool_call_id"), f"{param}.tool_call_id")
        if call_id not in self._calls and not self._goes_on:
            raise invalid(
                f"{param}.tool_call_id", f"no message before has a tool call with the id {shown(call_id)} to answer."
            )
        self._result(call_id, message, param)

    def _function(self, message: Mapping[str, Any], param: str) -> None:
        name = string(message.get("name"), f"{param}.name")
        call_id = self._older.get(name)
        if call_id is None and not self._goes_on:
            raise invalid(f"{param}.name", f"no message before has a function call of {shown(name)} to answer.")
        self._result(call_id or "", message, param, name=name)

    def _result(self, call_id: str, message: Mapping[str, Any], param: str, *, name: str | None = None) -> None:
        self._end_assistant()
        content = read_result(message.get("content"), f"{param}.content")
        cache = next((part.cache for part in reversed(content) if part.cache is not None), None)
        self._results.append(ToolResult(call_id, content, name=self._calls.get(call_id, name), cache=cache))

    def _end_user(self) -> None:
        parts = [*self._results, *_without_empty(self._said, but_one=not self._results)]
        self._results, self._said = [], []
        self._append(Role.USER, parts)

    def _end_assistant(self) -> None:
        parts, self._answers = _without_empty(self._answers, but_one=False), []
        self._append(Role.ASSISTANT, parts)

    def _append(self, role: Role, parts: list[Part]) -> None:
        if not parts:
            return
        if self._turns and self._turns[-1].role is role:
            self._turns[-1] = Message(role, (*self._turns[-1].parts, *parts))
        else:
            self._turns.append(Message(role, tuple(parts)))


def read_messages(messages: Any, *, goes_on: bool = False) -> Conversation:
    """All messages of a request; raises as `Conversation.add` does."""
    conversation = Conversation(goes_on=goes_on)
    for index, message in enumerate(array(messages, "messages")):
        conversation.add(mapping(message, f"messages[{index}]"), f"messages[{index}]")
    return conversation


def _joined(texts: list[Text]) -> list[Text]:
    """The parts of one message as one text, or up to each mark of what may be cached."""
    joined: list[Text] = []
    words: list[str] = []
    for text in texts:
        words.append(text.text)
        if text.cache is not None:
            joined.append(Text("".join(words), text.cache))
            words = []
    if rest := "".join(words):
        joined.append(Text(rest))
    return [text for text in joined if text.text]


def _without_empty(parts: list[Part], *, but_one: bool) -> list[Part]:
    """Without texts that say nothing; the last one stays where nothing else would."""
    left = [part for part in parts if not (isinstance(part, Text) and not part.text)]
    return left or (parts[-1:] if but_one else [])


def _words(message: Mapping[str, Any], param: str) -> list[AssistantPart]:
    content = message.get("content")
    if content is None or type(content) is str:
        parts: list[AssistantPart] = [Text(content)] if content else []
    elif type(content) is list:
        paths = ((part, f"{param}.content[{index}]") for index, part in enumerate(content))
        parts = [_said(mapping(part, path), path) for part, path in paths]
    else:
        raise wrong_type(f"{param}.content", "a string or an array of content parts", content)
    refusal = optional_string(message, "refusal", param)
    return [*parts, Refusal(refusal)] if refusal else parts


def _said(part: Mapping[str, Any], param: str) -> AssistantPart:
    match part.get("type"):
        case "text":
            return Text(string(part.get("text"), f"{param}.text"))
        case "refusal":
            return Refusal(string(part.get("refusal"), f"{param}.refusal"))
        case None:
            raise missing(f"{param}.type")
        case kind:
            raise unknown(f"{param}.type", kind, "'text' and 'refusal'")


def _thinking(message: Mapping[str, Any], param: str) -> list[AssistantPart]:
    """Reasoning that the client sends back: with signatures where it was given them, else as mere words."""
    blocks = message.get("thinking_blocks")
    if blocks:
        path = f"{param}.thinking_blocks"
        paths = ((block, f"{path}[{index}]") for index, block in enumerate(array(blocks, path)))
        return [_thought(mapping(block, path), path) for block, path in paths]
    for name in _REASONING:
        if type(text := message.get(name)) is str and text:
            return [Thinking(text)]
    return []


def _thought(block: Mapping[str, Any], param: str) -> Thinking:
    match block.get("type"):
        case "thinking":
            signature = optional_string(block, "signature", param)
            return Thinking(
                text=optional_string(block, "thinking", param) or "",
                signature=untagged(signature, own=Issuer.ANTHROPIC) if signature else None,
            )
        case "redacted_thinking":
            # Its data goes out with the issuer's mark, as signatures do.
            return Thinking(redacted=untagged(string(block.get("data"), f"{param}.data"), own=Issuer.ANTHROPIC).value)
        case kind:
            raise unknown(f"{param}.type", kind, "'thinking' and 'redacted_thinking'")


def _calls(message: Mapping[str, Any], param: str) -> list[ToolCall]:
    calls = message.get("tool_calls")
    if calls is None:
        return []
    path = f"{param}.tool_calls"
    paths = ((call, f"{path}[{index}]") for index, call in enumerate(array(calls, path)))
    return [_call(mapping(call, path), path) for call, path in paths]


def _call(call: Mapping[str, Any], param: str) -> ToolCall:
    if call.get("type", "function") != "function":
        raise Unsupported(
            f"{param} is a call of a custom tool: only providers of OpenAI's dialect have them.", param=param
        )
    path = f"{param}.function"
    function = mapping(call.get("function"), path)
    return ToolCall(
        id=string(call.get("id"), f"{param}.id"),
        name=string(function.get("name"), f"{path}.name"),
        arguments=optional_string(function, "arguments", path) or "{}",
        signature=_call_signature(call.get("extra_content")),
    )


def _call_signature(extra: Any) -> Signature | None:
    """Gemini's, in the field that Google gave it in this dialect."""
    google = extra.get("google") if type(extra) is dict else None
    value = google.get("thought_signature") if type(google) is dict else None
    return untagged(value, own=Issuer.GEMINI) if type(value) is str and value else None
