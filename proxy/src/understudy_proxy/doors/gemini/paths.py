"""Which model and which method a path of Google's means, by what follows the part that all of its kind have.

A model's name may contain slashes and colons of its own (`persona/desk`, `llama3:8b`), so the method is what follows
the last colon.
"""

import re

_VERTEX = re.compile(r"(?:[^/]+/locations/[^/]+/publishers/)?(?P<publisher>[^/]+)/models/(?P<name>.+)")
_GOOGLE = "google"


def split(rest: str) -> tuple[str, str]:
    """A path before its method, and the method."""
    path, _, method = rest.rpartition(":")
    return path, method


def developer(path: str) -> str:
    """The model of a path of the Developer API, below `models`."""
    return path.removeprefix("models/")


def vertex(path: str) -> str:
    """The model of a path of Vertex AI, below `projects` or `publishers`.

    Its publisher is the first part of a name as this gateway knows them, but for Google itself:
    `publishers/anthropic/models/claude` is `anthropic/claude`.
    """
    found = _VERTEX.fullmatch(path)
    if found is None:
        return path
    return found["name"] if found["publisher"] == _GOOGLE else f"{found['publisher']}/{found['name']}"
