"""What an agent says of itself, read: the body of a heartbeat, in the words of any version of the agents' library.

Two kinds of wrong are told apart, as registries of the field do: what is no such body at all, and what is one that
cannot be taken. Unknown fields are ignored.
"""

import re
from typing import Any, TypeVar

import orjson

from understudy_proxy.mesh.agents import (
    DEFAULT_VERSION,
    UNKNOWN_VENDOR,
    AgentType,
    Registration,
    Tags,
    Tool,
    ToolFilter,
    Wanted,
)

MAX_BODY = 1024 * 1024
MAX_AGENT_TOOLS = 256
MAX_WANTED = 64
"""What one agent may look for."""
_MAX_NAME = 63
_MAX_WORD, _MAX_TEXT, _MAX_TAGS = 128, 4096, 64
_NAME = re.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9._:%-]{0,253}")
_SCHEMES = ("http://", "https://")
_RUNTIMES = frozenset({"python", "typescript", "java"})

Fields = dict[str, Any]
_Tag = TypeVar("_Tag")


class Malformed(Exception):
    """The body is none of an agent; the message says what is wrong with it."""


class Invalid(Exception):
    """The agent cannot be taken as it is; the message says why."""

    def __init__(self, agent_id: str, message: str) -> None:
        super().__init__(message)
        self.agent_id = agent_id[:_MAX_WORD]


def read_registration(raw: bytes) -> Registration:
    """Read the body of a heartbeat.

    Raises:
        Malformed: it is none.
        Invalid: the agent cannot be taken.
    """
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"Invalid JSON payload: {error}") from error
    if fields is not None and not isinstance(fields, dict):
        raise Malformed("Invalid JSON payload: it is no object")
    fields = fields or {}
    agent_id = _text(fields, "agent_id")
    if not agent_id:
        raise Malformed("agent_id is required")
    return _Reader(agent_id).registration(fields, size=len(raw))


class _Reader:
    """Reads what one agent says."""

    def __init__(self, agent_id: str) -> None:
        self._id = agent_id

    def registration(self, fields: Fields, *, size: int) -> Registration:
        self._named("agent_id", self._id)
        name = _text(fields, "name") or self._id
        self._named("name", name)
        tools = tuple(self._tool(f"tools[{at}]", tool) for at, tool in enumerate(_objects(fields, "tools")))
        if len(tools) > MAX_AGENT_TOOLS:
            raise self._invalid(f"tools: an agent has {MAX_AGENT_TOOLS} at most")
        if sum(len(tool.wanted) for tool in tools) > MAX_WANTED:
            raise self._invalid(f"tools: an agent looks for {MAX_WANTED} dependencies, providers and filters at most")
        runtime = _text(fields, "runtime") or "python"
        if runtime not in _RUNTIMES:
            raise self._invalid(f"runtime: {runtime[:_MAX_WORD]!r} is none of {', '.join(sorted(_RUNTIMES))}")
        return Registration(
            id=self._id,
            name=name,
            type=self._type(_text(fields, "agent_type")),
            runtime=runtime,
            version=self._word("version", fields),
            description=_text(fields, "description")[:_MAX_TEXT],
            host=self._host(_text(fields, "http_host")),
            port=self._port(fields),
            namespace=self._word("namespace", fields) or "default",
            tools=tools,
            size=size,
        )

    def _tool(self, at: str, fields: Fields) -> Tool:
        kwargs = _object(fields, "kwargs")
        vendor = kwargs.get("vendor") if kwargs else None
        provider, chosen = _object(fields, "llm_provider"), _object(fields, "llm_filter")
        schema = _object(fields, "inputSchema")
        return Tool(
            function=self._word(f"{at}.function_name", fields),
            capability=self._word(f"{at}.capability", fields),
            version=self._word(f"{at}.version", fields) or DEFAULT_VERSION,
            tags=self._plain_tags(f"{at}.tags", fields),
            description=_text(fields, "description")[:_MAX_TEXT],
            schema=None if schema is None else _json(f"{at}.inputSchema", schema),
            kwargs=_json(f"{at}.kwargs", kwargs) if kwargs else None,
            vendor=vendor[:_MAX_WORD] if isinstance(vendor, str) and vendor else UNKNOWN_VENDOR,
            dependencies=tuple(
                Wanted(
                    self._word(f"{at}.dependencies.capability", each),
                    self._tags(f"{at}.dependencies.tags", each),
                    self._word(f"{at}.dependencies.version", each),
                )
                for each in _objects(fields, "dependencies")
            ),
            llm_provider=None if provider is None else self._one(f"{at}.llm_provider", provider),
            llm_filter=None if chosen is None else self._filter(f"{at}.llm_filter", chosen),
        )

    def _one(self, at: str, fields: Fields) -> Wanted:
        return Wanted(
            self._word(f"{at}.capability", fields),
            self._plain_tags(f"{at}.tags", fields),
            self._word(f"{at}.version", fields),
        )

    def _filter(self, at: str, fields: Fields) -> ToolFilter:
        parts: list[Wanted] = []
        for each in _list(fields, "filter"):
            if isinstance(each, str):
                parts.append(Wanted(self._bounded(f"{at}.filter", each)))
            elif isinstance(each, dict):
                parts.append(self._one(f"{at}.filter", each))
            else:
                raise Malformed(f"Invalid JSON payload: {at}.filter has something that is no string and no object")
        mode = self._word(f"{at}.filter_mode", fields) or "all"
        return ToolFilter(tuple(parts), mode, _json(at, fields))

    def _tags(self, at: str, fields: Fields) -> Tags:
        tags: list[str | tuple[str, ...]] = []
        for tag in _list(fields, "tags"):
            if isinstance(tag, list):
                tags.append(tuple(self._bounded(at, _string(at, each)) for each in tag))
            else:
                tags.append(self._bounded(at, _string(at, tag)))
        self._few(at, [each for tag in tags for each in ((tag,) if isinstance(tag, str) else tag)])
        return tuple(tags)

    def _plain_tags(self, at: str, fields: Fields) -> tuple[str, ...]:
        tags = [self._bounded(at, _string(at, tag)) for tag in _list(fields, "tags")]
        return tuple(self._few(at, tags))

    def _few(self, at: str, tags: list[_Tag]) -> list[_Tag]:
        if len(tags) > _MAX_TAGS:
            raise self._invalid(f"{at}: {_MAX_TAGS} at most")
        return tags

    def _word(self, at: str, fields: Fields) -> str:
        return self._bounded(at, _text(fields, at.rpartition(".")[2]))

    def _bounded(self, at: str, text: str) -> str:
        if len(text) > _MAX_WORD:
            raise self._invalid(f"{at}: it is longer than {_MAX_WORD} characters")
        return text

    def _named(self, field: str, name: str) -> None:
        if len(name) > _MAX_NAME:
            raise self._invalid(f"{field}: {field} must be {_MAX_NAME} characters or less")
        if not _NAME.fullmatch(name):
            raise self._invalid(f"{field}: {field} must contain only lowercase alphanumeric characters and hyphens")

    def _type(self, text: str) -> AgentType:
        try:
            return AgentType(text or AgentType.MCP_AGENT)
        except ValueError:
            known = ", ".join(AgentType)
            raise self._invalid(f"agent_type: {text[:_MAX_WORD]!r} is none of {known}") from None

    def _host(self, text: str) -> str:
        host = next((text.removeprefix(scheme) for scheme in _SCHEMES if text.startswith(scheme)), text)
        if not _HOST.fullmatch(host):
            raise self._invalid("http_host: it is no name of a host, and no address")
        return host

    def _port(self, fields: Fields) -> int:
        port = fields.get("http_port")
        if port is None:
            return 0
        if type(port) is not int:
            raise Malformed("Invalid JSON payload: http_port is no number")
        if not 0 <= port <= 65535:
            raise self._invalid("http_port: it takes 0 to 65535")
        return port

    def _invalid(self, message: str) -> Invalid:
        return Invalid(self._id, f"validation failed: {message}")


def _text(fields: Fields, name: str) -> str:
    text = fields.get(name)
    return "" if text is None else _string(name, text)


def _string(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise Malformed(f"Invalid JSON payload: {name} is no string")
    return text


def _list(fields: Fields, name: str) -> list[Any]:
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"Invalid JSON payload: {name} is no list")
    return value


def _object(fields: Fields, name: str) -> Fields | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, dict):
        raise Malformed(f"Invalid JSON payload: {name} is no object")
    return value


def _objects(fields: Fields, name: str) -> list[Fields]:
    values = _list(fields, name)
    if not all(isinstance(value, dict) for value in values):
        raise Malformed(f"Invalid JSON payload: {name} has something that is no object")
    return values


def _json(at: str, value: Fields) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # it was read, so all that can be wrong with it is its depth
        raise Malformed(f"Invalid JSON payload: {at} is nested too deeply") from None
