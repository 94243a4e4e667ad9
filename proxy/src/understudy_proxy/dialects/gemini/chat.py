"""A client's request in canonical form."""

from understudy_proxy.dialects.canonical.chat import Chat, Tool, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import Text
from understudy_proxy.dialects.fields import invalid, shown
from understudy_proxy.dialects.gemini.conversation import Conversation
from understudy_proxy.dialects.gemini.messages import Fields
from understudy_proxy.dialects.gemini.openapi import json_schema
from understudy_proxy.dialects.gemini.request import GenerateRequest
from understudy_proxy.dialects.gemini.settings import read_settings
from understudy_proxy.dialects.request_error import Unsupported

_MODES = {
    "MODE_UNSPECIFIED": ToolMode.AUTO,
    "AUTO": ToolMode.AUTO,
    "VALIDATED": ToolMode.AUTO,
    "ANY": ToolMode.REQUIRED,
    "NONE": ToolMode.NONE,
}
_TIERS = {"standard": "default", "flex": "flex", "priority": "priority"}


def chat_of(asked: GenerateRequest) -> Chat:
    """The request.

    Raises:
        RequestError: it is wrong.
        Unsupported: only Google's models can do what it asks for.
    """
    request = Fields(asked.request, "" if asked.request is asked.body else "generateContentRequest")
    if "cachedContent" in request:
        raise Unsupported(
            "'cachedContent' is kept at Google: send the contents themselves, or ask a Gemini model.",
            param=request.at("cachedContent"),
        )
    config = request.message("generationConfig") or Fields({}, request.at("generationConfig"))
    conversation = Conversation(goes_on=asked.goes_on)
    messages = conversation.read(request.messages("contents"))
    system = request.message("systemInstruction")
    tools, choice, tier = read_tools(request), read_tool_choice(request), _tier(request)
    settings = read_settings(config)
    # The path says which model; a body may say it again.
    request.raw("model")
    unread = {config.at(name): value for name, value in config.unread().items()}
    return Chat(
        model=asked.model,
        messages=messages,
        system=() if system is None else tuple(Text(part.text("text") or "") for part in system.messages("parts")),
        tools=tools,
        tool_choice=choice,
        sampling=settings.sampling,
        max_tokens=settings.max_tokens,
        choices=settings.choices,
        format=settings.format,
        reasoning=settings.reasoning,
        service_tier=tier,
        stream=asked.stream,
        extra=request.unread() | unread | conversation.extra,
    )


def read_tools(request: Fields) -> tuple[Tool, ...]:
    """The functions that a request offers.

    Raises:
        Unsupported: it offers a tool of Google's own.
    """
    tools: list[Tool] = []
    for offered in request.messages("tools"):
        tools += [_tool(function) for function in offered.messages("functionDeclarations")]
        if own := next(iter(offered.unread()), None):
            raise Unsupported(
                f"'{own[:64]}' is a tool that only Google's models have: offer functions, or ask a Gemini model.",
                param=offered.at(own),
            )
    return tuple(tools)


def _tool(function: Fields) -> Tool:
    schema = function.struct("parametersJsonSchema")
    if schema is None and (given := function.struct("parameters")) is not None:
        schema = json_schema(given)
    return Tool(name=function.required("name"), description=function.text("description"), parameters=schema)


def read_tool_choice(request: Fields) -> ToolChoice | None:
    """Whether a function must be called, and which may be."""
    config = request.message("toolConfig")
    calling = None if config is None else config.message("functionCallingConfig")
    if calling is None:
        return None
    mode = (calling.text("mode") or "AUTO").upper()
    if mode not in _MODES:
        raise invalid(calling.at("mode"), f"expected 'AUTO', 'ANY', 'NONE' or 'VALIDATED', but got {shown(mode)}.")
    return ToolChoice(_MODES[mode], calling.texts("allowedFunctionNames"))


def _tier(request: Fields) -> str | None:
    tier = request.text("serviceTier")
    return None if tier is None else _TIERS.get(tier.lower())
