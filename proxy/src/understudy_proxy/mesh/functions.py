"""What the gateway offers to agents: a pair of functions, one whole and one streamed, for each route and persona.

The mesh knows no models, only functions of agents with a capability and tags. So every name that a caller without an
identity may send as `model` is two functions here, and a pair without a name stands for the default. `/mcp` serves
them; registries list them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from understudy_api.config import Capability, TargetKind
from understudy_proxy.config.runtime import Candidate, Runtime, RuntimeTarget
from understudy_proxy.mesh.agents import GATEWAY_TAG, STREAM_TAG
from understudy_proxy.mesh.vendors import UNKNOWN, vendor_of
from understudy_proxy.routing.resolve import NotFound, resolve, visible_models

CAPABILITY = "llm"
WHOLE, STREAMED = "process_chat", "process_chat_stream"
"""The functions of the default model, and what those of all others begin with."""
VERSION = "1.0.0"
"""Of the functions' contract, not of the gateway."""
MAX_TARGETS = 200
"""Names with functions of their own, the first by name; further ones are reached as `model` in `model_params`."""

_MAX_DESCRIPTION = 500
_MAX_TAGS = 24
_MAX_SLUG = 36
"""So that no name is longer than the 64 characters that models take as one of a tool."""
_PLAIN = re.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_FOREIGN = re.compile("[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class MeshFunction:
    """A function that agents may call."""

    name: str
    """Of the function, and so of the tool at `/mcp`."""
    model: str | None
    """What it stands for, as clients send it in `model`; None: the default, whatever that is."""
    stream: bool
    tags: tuple[str, ...]
    vendor: str
    description: str
    capability: str = CAPABILITY
    version: str = VERSION

    @property
    def kwargs(self) -> dict[str, str]:
        """What a registry hands to consumers beside the function."""
        return {"vendor": self.vendor, **({"stream_type": "text"} if self.stream else {})}


REQUEST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["request"],
    "properties": {
        "request": {
            "type": "object",
            "required": ["messages"],
            "properties": {
                "messages": {
                    "type": "array",
                    "items": {"type": "object"},
                    "description": "The conversation, in the form of OpenAI's chat completions.",
                },
                "tools": {"type": ["array", "null"], "items": {"type": "object"}, "default": None},
                "model_params": {"type": ["object", "null"], "default": None},
                "context": {"type": ["object", "null"], "default": None},
                "request_id": {"type": ["string", "null"], "default": None},
                "caller_agent": {"type": ["string", "null"], "default": None},
            },
        },
    },
}
"""What each of them takes."""


def functions(runtime: Runtime, *, namespace: str | None, default: str | None) -> tuple[MeshFunction, ...]:
    """The functions of all that can converse, the default's first, and of each pair the whole one first.

    Args:
        runtime: The configuration.
        namespace: Where callers without an identity look for names.
        default: The name that stands for whoever names none; None where there is no default.
    """
    made: list[MeshFunction] = []
    if default is not None and not isinstance(target := resolve(runtime, default, namespace=namespace), NotFound):
        made.extend(_pair(None, target, runtime, suffix=""))
    named = 0
    for model, target in _targets(runtime, namespace):
        pair = tuple(_pair(model, target, runtime, suffix=f"_{_slug(target, model)}"))
        made.extend(pair)
        named += bool(pair)
        if named == MAX_TARGETS:
            break
    return tuple(made)


def _targets(runtime: Runtime, namespace: str | None) -> Iterator[tuple[str, RuntimeTarget]]:
    """Routes and personas by a name of theirs; a route with several names by its object's, or else the first."""
    told: dict[str, tuple[str, RuntimeTarget]] = {}
    for visible in visible_models(runtime, namespace=namespace):
        target = resolve(runtime, visible.name, namespace=namespace)
        if isinstance(target, NotFound) or target.kind is None:
            continue
        if target.key not in told or visible.name == target.name:
            told[target.key] = (visible.name, target)
    yield from sorted(told.values(), key=lambda each: each[0])


def _pair(model: str | None, target: RuntimeTarget, runtime: Runtime, *, suffix: str) -> Iterator[MeshFunction]:
    first = _first(target)
    if first is None:
        return
    vendor = vendor_of(first.upstream.system, first.upstream_model).name
    tags = _tags(target, first, runtime)
    description = _description(target, runtime)
    yield MeshFunction(f"{WHOLE}{suffix}", model, False, tags, vendor, description)
    if any(Capability.STREAMING in each.capabilities for each in _talkers(target)):
        yield MeshFunction(f"{STREAMED}{suffix}", model, True, (*tags, STREAM_TAG), vendor, description)


def _talkers(target: RuntimeTarget) -> Iterator[Candidate]:
    """Who can converse, the last rule's first: that one is for every request."""
    for rule in reversed(target.rules):
        for tier in rule.tiers:
            yield from (each for each in tier if Capability.CHAT in each.capabilities)


def _first(target: RuntimeTarget) -> Candidate | None:
    return next(_talkers(target), None)


def _tags(target: RuntimeTarget, first: Candidate, runtime: Runtime) -> tuple[str, ...]:
    """What agents may choose by: what it is and is called, and who answers as long as nobody has to step in."""
    vendor = vendor_of(first.upstream.system, first.upstream_model)
    kind = "persona" if target.kind is TargetKind.PERSONA else "route"
    made_by = () if vendor is UNKNOWN else vendor
    aliases = runtime.config.targets[target.key].aliases if target.key in runtime.config.targets else ()
    told = (GATEWAY_TAG, kind, target.name, *made_by, first.model, first.upstream.name, *aliases)
    # What begins so is read as a wish or an exclusion.
    return tuple(dict.fromkeys(tag for tag in told if not tag.startswith(("+", "-"))))[:_MAX_TAGS]


def _description(target: RuntimeTarget, runtime: Runtime) -> str:
    configured = runtime.config.targets.get(target.key)
    told = configured.description.strip() if configured else ""
    return told[:_MAX_DESCRIPTION] or f"Chat with {target.label}"


def _slug(target: RuntimeTarget, model: str) -> str:
    """A part of a function's name that no other name has; the same however many others there are."""
    kind = "persona" if target.kind is TargetKind.PERSONA else "route"
    name = target.name if target.kind is TargetKind.PERSONA else model
    if _PLAIN.fullmatch(name) and len(name) <= _MAX_SLUG:
        return f"{kind}_{name.replace('-', '_')}"
    kept = _FOREIGN.sub("_", name.lower()).strip("_")[: _MAX_SLUG - 9]
    return f"{kind}_{kept}_{sha256(name.encode()).hexdigest()[:8]}"
