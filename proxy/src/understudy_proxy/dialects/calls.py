"""Arguments of a tool call that a model wrote, for clients that want an object where others have text."""

from typing import Any

import orjson


def object_in(arguments: str) -> dict[str, Any] | None:
    """The object; None for what is none, or is nested too deeply to be written again."""
    try:
        read = orjson.loads(arguments or "{}")
        orjson.dumps(read)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return read if isinstance(read, dict) else None
