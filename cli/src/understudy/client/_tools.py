"""Python functions as tools: the JSON Schema of their arguments, and calls by what a model wrote.

Schemas come from annotations, descriptions from docstrings, checks from pydantic, which is imported with the first
tool. What goes wrong in a call is told to the model in a sentence: it often does better the next time.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_type_hints

from understudy.client._docstrings import described
from understudy.client._results import ToolCall

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SHOWN = 2048
"""Characters of an error that a model is told."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call. Made of a Python function by `tool`, or by hand with a schema of one's own."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Callable[..., Any]
    arguments: Any = field(default=None, repr=False)
    """The pydantic model of the arguments; None takes them as the model wrote them."""

    @property
    def declaration(self) -> dict[str, Any]:
        """In OpenAI's form."""
        function = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Bound:
    """A call that can be made: a function and its arguments."""

    function: Callable[..., Any]
    arguments: Mapping[str, Any]

    @property
    def is_async(self) -> bool:
        """Whether its result is to be awaited."""
        return inspect.iscoroutinefunction(self.function)


def tool(function: Callable[..., Any]) -> Tool:
    """A tool of a function: named by it, described by its docstring, its arguments by their annotations.

    Raises:
        TypeError: an argument has no annotation, or cannot be given by name; or no model can know the function's name.
    """
    from pydantic import ConfigDict, Field, create_model

    name = getattr(function, "__name__", type(function).__name__)
    description, texts = described(function)
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{name}: an annotation is of a type that its module does not know: {error}") from error
    fields: dict[str, Any] = {}
    for each in inspect.signature(function).parameters.values():
        if each.kind not in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}:
            raise TypeError(f"{name}: argument {each.name} cannot be given by name, as models give arguments")
        if each.name not in hints:
            raise TypeError(f"{name}: argument {each.name} needs an annotation, from which its schema is made")
        default = ... if each.default is each.empty else each.default
        # An alias, because pydantic keeps names that begin with _ to itself.
        hint = hints[each.name]
        if texts.get(each.name):
            hint = Annotated[hint, Field(description=texts[each.name])]
        fields[f"argument_{each.name}"] = (hint, Field(default, alias=each.name))
    if not _NAME.fullmatch(name):
        raise TypeError(f"{name}: models know functions by up to 64 letters, digits, _ and -; make a Tool with a name")
    model = create_model(name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False), **fields)
    return Tool(name, description or name, _untitled(model.model_json_schema()), function, model)


def as_tool(given: Callable[..., Any] | Tool) -> Tool:
    """The tool itself, or that of a function."""
    return given if isinstance(given, Tool) else tool(given)


def bound(call: ToolCall, tools: Mapping[str, Tool]) -> Bound | str:
    """What is to be called; or what the model is told where it cannot be."""
    from pydantic import ValidationError

    found = tools.get(call.name)
    if found is None:
        return failed(f"there is no function {call.name}; there are {', '.join(sorted(tools))}")
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as error:
        return failed(f"the arguments are not JSON: {error}")
    if not isinstance(arguments, dict):
        return failed("the arguments must be a JSON object")
    if found.arguments is None:
        return Bound(found.function, arguments)
    try:
        checked = found.arguments.model_validate(arguments)
    except ValidationError as error:
        return failed("; ".join(_problem(each) for each in error.errors(include_url=False)))
    names = (name.removeprefix("argument_") for name in type(checked).model_fields)
    return Bound(found.function, {name: getattr(checked, f"argument_{name}") for name in names})


def told(value: Any) -> str:
    """A result as the model is told it: a text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    from pydantic_core import to_json

    return to_json(value, fallback=str).decode()


def failed(message: str) -> str:
    """A failure as the model is told it."""
    return json.dumps({"error": message[:_SHOWN]}, ensure_ascii=False)


def raised(error: Exception) -> str:
    """What a function raised, as the model is told it."""
    return failed(f"{type(error).__name__}: {error}")


def _problem(error: Mapping[str, Any]) -> str:
    path = ".".join(map(str, error["loc"]))
    return f"{path}: {error['msg']}" if path else str(error["msg"])


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of names, which say nothing and cost tokens."""
    match schema:
        case {"title": str(), **rest} if not isinstance(rest.get("type", ""), dict):
            return {key: _properties(value) if key == "properties" else _untitled(value) for key, value in rest.items()}
        case dict():
            return {
                key: _properties(value) if key == "properties" else _untitled(value) for key, value in schema.items()
            }
        case list():
            return [_untitled(each) for each in schema]
    return schema


def _properties(schemas: Any) -> Any:
    """An argument may be called `title`."""
    return {name: _untitled(schema) for name, schema in schemas.items()} if isinstance(schemas, dict) else schemas
