"""`${NAME}` in the stringData of a Secret: the one place where files on a laptop need what git must not hold."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from understudy.manifests.nodes import Mark
from understudy.manifests.values import Fault, Place

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expand(raw: dict[str, Any], place: Place, environment: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    """The Secret with the variables of its stringData filled in; `$${` stands for `${`.

    A variable that is not set stays as it is written, and is a fault at the key that uses it.
    """
    plain = raw.get("stringData")
    if not isinstance(plain, dict):
        return raw, []
    faults = [
        Fault(_mark(place, key), f"the environment variable {name} is not set")
        for key, text in plain.items()
        if isinstance(text, str)
        for name in _names(text)
        if name not in environment
    ]
    filled = {key: _filled(text, environment) if isinstance(text, str) else text for key, text in plain.items()}
    return {**raw, "stringData": filled}, faults


def _names(text: str) -> Iterator[str]:
    return (match.group(1) for match in _VARIABLE.finditer(text) if match.group(1))


def _filled(text: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environment.get(match.group(1), match.group()) if match.group(1) else "${", text)


def _mark(place: Place, key: str) -> Mark:
    return place.find(("stringData", key))
