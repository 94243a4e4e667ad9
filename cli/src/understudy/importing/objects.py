"""The objects that are being made, each with what is to be said of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from understudy.importing.vendors import SELF_HOSTED, default_key, model_name, object_name
from understudy_api.v1alpha1 import API_VERSION

KEY = "api-key"
_VARIABLE = re.compile(r"os\.environ/([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)(?::[^}]*)?\}|\$([A-Z_][A-Z0-9_]*)", re.ASCII)
MAX_PRIORITY = 15


@dataclass(slots=True)
class Made:
    """An object, and comments that go above it."""

    kind: str
    name: str
    spec: dict[str, Any]
    labels: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)

    def manifest(self, namespace: str) -> dict[str, Any]:
        """As YAML has it."""
        metadata: dict[str, Any] = {"name": self.name}
        if namespace:
            metadata["namespace"] = namespace
        if self.labels:
            metadata["labels"] = self.labels
        return {"apiVersion": API_VERSION, "kind": self.kind, "metadata": metadata, "spec": self.spec}


@dataclass(frozen=True, slots=True)
class SecretNeeded:
    """A Secret to be created: which variable holds each of its keys, or where the value is now."""

    name: str
    keys: dict[str, str]
    found: str = ""


@dataclass(slots=True)
class Objects:
    """All that is made of some files."""

    providers: dict[str, Made] = field(default_factory=dict)
    routes: dict[str, Made] = field(default_factory=dict)
    personas: dict[str, Made] = field(default_factory=dict)
    tools: dict[str, Made] = field(default_factory=dict)
    secrets: dict[str, SecretNeeded] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    """What is not about one object."""

    def all(self) -> Iterator[Made]:
        """In the order in which they refer to one another."""
        for made in (self.providers, self.tools, self.routes, self.personas):
            yield from made.values()


@dataclass(frozen=True, slots=True)
class Key:
    """Where a key is: in a variable, or in the file (then it is never repeated); neither is no key at all."""

    variable: str = ""
    found: str = ""


NO_KEY = Key()


def key_of(value: str, *, at: str, type_: str) -> Key:
    """Where a key is that a file gives as `os.environ/NAME`, `${NAME}`, `$NAME` or itself; "" is the vendor's usual."""
    if not value:
        return Key(variable="" if type_ in SELF_HOSTED else default_key(type_))
    variable = variable_of(value)
    return Key(variable=variable) if variable else Key(found=at)


def variable_of(value: str) -> str:
    """The environment variable that a value stands for; "" for none."""
    found = _VARIABLE.fullmatch(value)
    return next(filter(None, found.groups()), "") if found else ""


def signed_in(objects: Objects, name: str, key: Key) -> dict[str, Any]:
    """The part of a provider's spec that says with which key, and the Secret that it needs; empty without a key."""
    if not (key.variable or key.found):
        return {}
    objects.secrets[name] = SecretNeeded(name, {KEY: key.variable}, found=key.found)
    return {"auth": {"apiKey": {"secretKeyRef": {"name": name, "key": KEY}}}}


def free_name(text: str, taken: dict[str, Made]) -> str:
    """A name for an object that no other of its kind has."""
    name, number = object_name(text), 2
    while name in taken:
        name = f"{object_name(text)}-{number}"
        number += 1
    return name


def route_for(objects: Objects, name: str, backends: list[dict[str, Any]]) -> Made:
    """A new route by the name that apps ask for."""
    asked = model_name(name)
    spec = {"models": [{"name": asked}], "rules": [{"backends": backends}]}
    made = Made("LLMRoute", free_name(name, objects.routes), spec)
    if asked != name:
        made.comments.append(f"Apps asked for {name!r}; names have no spaces here.")
    objects.routes[made.name] = made
    return made


def route_of(objects: Objects, name: str) -> Made | None:
    """The route by the name that apps ask for."""
    asked = model_name(name)
    return next((each for each in objects.routes.values() if each.spec["models"][0]["name"] == asked), None)


def per_million(dollars: Decimal, tokens: int) -> str:
    """US dollars for a million tokens, from those for so many, as a decimal string."""
    price = (dollars * 1_000_000 / tokens).quantize(Decimal("0.000000001")).normalize()
    return f"{price:f}"


def backend(provider: str, model: str, *, priority: int = 0, weight: int | None = None) -> dict[str, Any]:
    """A backend of a route."""
    made: dict[str, Any] = {"providerRef": {"name": provider}, "model": model}
    if weight is not None:
        made["weight"] = weight
    if priority:
        made["priority"] = min(priority, MAX_PRIORITY)
    return made
