"""Which model and which method a path of Google's means.

A model's name may contain slashes and colons of its own (`persona/desk`, `llama3:8b`), so the method is what follows
the last colon. Vertex AI's paths name a publisher, which is the first part of a name as this gateway knows them, but
for Google's own: `publishers/anthropic/models/claude` is `anthropic/claude`.
"""

_MODELS = "models/"
_GOOGLE = "google"


def model_in(rest: str) -> str:
    """The model of a path with a method, of which `rest` is what follows the part that all have."""
    return name_in(rest.rpartition(":")[0])


def method_in(rest: str) -> str:
    """The method of such a path."""
    return rest.rpartition(":")[2]


def name_in(path: str) -> str:
    """The model of a path without a method."""
    before, marker, name = path.partition(_MODELS)
    if not marker or (before and not before.endswith("/")):
        return path
    publisher = before.rstrip("/").rpartition("/")[2]
    return name if publisher in {"", _GOOGLE} else f"{publisher}/{name}"
