"""What a docstring in Google's style says of a function and of each argument. Any other style is all description."""

import inspect
import re
from collections.abc import Callable
from typing import Any

_SECTION = re.compile(r"^(Args|Arguments|Returns|Raises|Yields|Examples?|Notes?|Attributes):\s*$")
_ARGUMENT = re.compile(r"^\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


def described(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The description, and that of each argument by its name."""
    summary: list[str] = []
    arguments: dict[str, str] = {}
    section, current, indent = "", "", 0
    for line in (inspect.getdoc(function) or "").splitlines():
        found = _SECTION.match(line)
        if found:
            section, current = found[1], ""
        elif not section:
            summary.append(line)
        elif section in {"Args", "Arguments"} and line.strip():
            depth = len(line) - len(line.lstrip())
            named = _ARGUMENT.match(line.strip())
            if named and (not current or depth <= indent):
                current, indent = named[1], depth
                arguments[current] = named[2]
            elif current:
                arguments[current] = f"{arguments[current]} {line.strip()}".strip()
    return "\n".join(summary).strip(), arguments
