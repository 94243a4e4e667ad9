"""The tools by which agents of a mesh have conversations: one pair for the default, and one for each route and persona.

Clients that are no agents are shown the pair of the default alone: whoever has a thousand routes does not want two
thousand tools in the prompt of a model that could name the route.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from understudy_api.config import Capability
from understudy_proxy.config.runtime import Runtime, RuntimeTarget
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.doors.door import Refused, Request
from understudy_proxy.doors.executing.talk import NO_ANSWER
from understudy_proxy.doors.mcp.calling import Calling, McpTool, Outcome
from understudy_proxy.doors.mcp.choosing import Choosing
from understudy_proxy.doors.mcp.conversing import Heard, converse
from understudy_proxy.doors.mcp.errors import about
from understudy_proxy.doors.plain.asked import read_fields
from understudy_proxy.doors.plain.said import content_of, ending_of
from understudy_proxy.doors.services import Services
from understudy_proxy.mcp.results import structured
from understudy_proxy.mesh.chats import STOPPED_ANSWER, Delegated, answer_of, chunk_frame, end_frame, read_delegated
from understudy_proxy.mesh.functions import REQUEST_SCHEMA, STREAMED, WHOLE, MeshFunction, functions
from understudy_proxy.routing.default import default_model

_MOST_NAMESPACES = 64
"""Whose functions are remembered while a configuration serves; callers may make namespaces up."""
_ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "role": {"const": "assistant"},
        "content": {"type": "string"},
        "tool_calls": {"type": "array", "items": {"type": "object"}},
        "_mesh_usage": {"type": "object"},
        "_mesh_stop_reason": {"type": "string"},
    },
    "required": ["role", "content"],
}


class Meshing:
    """Has conversations for agents."""

    def __init__(self, services: Services) -> None:
        self._names = services.names
        self._asking = services.asking
        self._choosing = Choosing(services.names)
        self._runtime: Runtime | None = None
        self._functions: dict[str | None, Mapping[str, MeshFunction]] = {}

    def listed(self, request: Request) -> Sequence[McpTool]:  # noqa: ARG002 - the default's are there for all
        """The pair of the default."""
        return (self._tool(WHOLE, None, stream=False), self._tool(STREAMED, None, stream=True))

    def find(self, name: str, request: Request) -> McpTool | None:
        """The one of this name."""
        if name in {WHOLE, STREAMED}:
            return self._tool(name, None, stream=name == STREAMED)
        function = self._known(request).get(name) if name.startswith(WHOLE) else None
        return self._tool(name, function.model, stream=function.stream) if function is not None else None

    def _known(self, request: Request) -> Mapping[str, MeshFunction]:
        runtime, namespace = self._names.runtime(), self._names.namespace(request)
        if runtime is not self._runtime or len(self._functions) > _MOST_NAMESPACES:
            self._runtime, self._functions = runtime, {}
        known = self._functions.get(namespace)
        if known is None:
            default = default_model(runtime, namespace=namespace)
            made = functions(runtime, namespace=namespace, default=default)
            known = self._functions[namespace] = {function.name: function for function in made}
        return known

    def _tool(self, name: str, model: str | None, *, stream: bool) -> McpTool:
        how = ", and hear it word by word in notifications of progress" if stream else ""
        return McpTool(
            name,
            f"For agents of a mesh: have a conversation with a large language model go on{how}.",
            REQUEST_SCHEMA,
            partial(self._run, model, stream),
            output_schema=_ANSWER_SCHEMA,
        )

    async def _run(self, model: str | None, stream: bool, calling: Calling) -> Outcome:
        delegated = read_delegated(calling.arguments)
        model = model or self._choice(delegated, calling.request)
        held = self._holds(model, calling.request)
        chat, _ = read_fields(delegated.with_format(held=held), beside=())
        calling = replace(calling, tell=calling.tell if stream else None)
        try:
            return await self._converse(calling, replace(chat, model=model, variables=delegated.context))
        except Refused as refused:
            if refused.code != NO_ANSWER:
                raise
            if calling.tell is not None:
                await calling.tell(end_frame(stopped=True))
            return Outcome(structured(STOPPED_ANSWER, meta=about(refused.headers)), refused.headers)

    async def _converse(self, calling: Calling, chat: Chat) -> Outcome:
        outcome = _told(await converse(self._asking, calling, chat, frame=chunk_frame))
        if calling.tell is not None:
            _check_streamed(outcome.result.structured)
            await calling.tell(end_frame())
        return outcome

    def _choice(self, delegated: Delegated, request: Request) -> str:
        """The model that the caller would rather have, if there is one of the name; agents name others' models, too."""
        wish = delegated.model
        return wish if wish and self._choosing.known(request, wish) else self._choosing.default(request)

    def _holds(self, model: str, request: Request) -> bool:
        """Whether somebody behind a name can be held to a schema."""
        target = self._names.target(self._names.runtime(), model, namespace=self._names.namespace(request))
        return any(Capability.JSON_SCHEMA in each for each in _capabilities(target))


def _capabilities(target: RuntimeTarget) -> list[frozenset[Capability]]:
    return [candidate.capabilities for rule in target.rules for tier in rule.tiers for candidate in tier]


def _told(heard: Heard) -> Outcome:
    candidate = heard.how.course.candidate
    answer = answer_of(
        ending_of(heard.said, heard.usage),
        content=content_of(heard.said),
        model=candidate.model if candidate else None,
    )
    headers = heard.how.headers
    return Outcome(structured(answer, meta=about(headers)), headers)


def _check_streamed(answer: Mapping[str, Any]) -> None:
    """An agent that listens to words never looks at calls of tools: without a word it would take them for silence."""
    if not answer.get("tool_calls"):
        return
    names = ", ".join(call["function"]["name"] for call in answer["tool_calls"])
    raise Refused(
        400,
        f"The model calls tools ({names}), for which a streamed answer has no place: ask {WHOLE} for a whole one.",
        code="tool_calls_in_stream",
        reason="unsupported",
    )
