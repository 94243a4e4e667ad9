"""`tools.json`: functions in OpenAI's form, in Anthropic's, or in one's own."""

import re
from typing import Any

from understudy.importing.objects import KEY, Made, Objects, SecretNeeded, variable_of
from understudy.importing.parts import Part, Unusable
from understudy.importing.vendors import object_name
from understudy_api.v1alpha1.tool import HttpMethod

_FUNCTION = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_tools(file: Part, objects: Objects, problems: list[Unusable]) -> None:
    """The tools of one file."""
    for entry in _entries(file, problems):
        try:
            _tool(entry, objects)
        except Unusable as problem:
            problems.append(problem)


def _entries(file: Part, problems: list[Unusable]) -> list[Part]:
    field = "tools" if file.has("tools") else "functions"
    value = file.any(field)
    if isinstance(value, dict):
        return [
            file.inner((field, name), {"name": name, **said}) for name, said in value.items() if isinstance(said, dict)
        ]
    found = []
    for index, said in enumerate(value if isinstance(value, list) else []):
        entry = file.inner((field, index), said if isinstance(said, dict) else {})
        if isinstance(said, dict):
            found.append(entry)
        else:
            problems.append(entry.wrong("", "must be a map"))
    return found


def _tool(entry: Part, objects: Objects) -> None:
    entry.text("type")
    function = entry.part("function") if entry.has("function") else entry
    name = function.required("name")
    if not _FUNCTION.fullmatch(name):
        raise function.wrong("name", f"is no function name: 64 letters, digits, _ and - at most, not {name!r}")
    made = Made("LLMTool", object_name(name), {})
    if made.name in objects.tools:
        raise function.wrong("name", f"is a second {name}")
    if made.name.replace("-", "_") != name:
        made.spec["functionName"] = name
    made.spec["description"] = function.text("description") or name
    if not function.has("description"):
        made.comments.append("The file does not say what it does, and the model chooses by that.")
    if parameters := function.any("parameters", "input_schema", "inputSchema", "schema"):
        if not isinstance(parameters, dict):
            raise function.wrong("parameters", "must be a JSON Schema")
        made.spec["parameters"] = parameters
    if handler := _handler(entry, made, objects):
        made.spec["handler"] = {"http": handler}
    else:
        made.comments.append("The file does not say who runs it: clients do, until it has a handler.")
    left = [*entry.left(), *(function.left() if function is not entry else ())]
    made.comments += [f"{field} of {entry.file} has no equivalent." for field in left]
    objects.tools[made.name] = made


def _handler(entry: Part, made: Made, objects: Objects) -> dict[str, Any]:
    inner = entry.part("handler") if isinstance(entry.any("handler"), dict) else entry
    url = inner.text("url", "endpoint", "handler")
    if not url:
        return {}
    if not re.fullmatch(r"https?://[^\s@]+", url):
        made.comments.append("Its handler is no http:// or https:// address.")
        return {}
    address, query, _ = url.partition("?")
    if query:
        made.comments.append(
            "Its address had a query, which is left out: it may hold a key, and keys belong in Secrets."
        )
    handler: dict[str, Any] = {"url": address}
    method = inner.text("method").upper()
    if method in list(HttpMethod):
        handler["method"] = method
    elif method:
        made.comments.append(f"Its method {method} is none that a handler takes.")
    if seconds := inner.number("timeout", "timeout_seconds"):
        handler["timeout"] = f"{seconds.normalize():f}s"
    if token := inner.text("token", "api_key", "auth_token"):
        variable = variable_of(token)
        found = "" if variable else f"{entry.file}, tool {made.name}"
        objects.secrets[made.name] = SecretNeeded(made.name, {KEY: variable}, found=found)
        handler["auth"] = {"bearer": {"secretKeyRef": {"name": made.name, "key": KEY}}}
    return handler
