"""Server-sent events, read as strictly as the strictest client does."""

from typing import Any

import orjson


def events_in(content: bytes) -> list[tuple[str, bytes]]:
    """Name and data of each event: one line each, `data: ` with its space, ended by an empty line.

    Lines end with LF, or, where the first one does, with CRLF.
    """
    end = "\r\n" if b"\r\n" in content.partition(b"\n\n")[0] else "\n"
    *events, rest = content.decode().split(end * 2)
    assert rest == ""
    made = []
    for event in events:
        if event.startswith(":"):
            continue
        fields = dict(line.split(": ", 1) for line in event.split(end))
        assert {"data"} <= set(fields) <= {"event", "data"}, event
        made.append((fields.get("event", ""), fields["data"].encode()))
    return made


def json_events(content: bytes) -> list[Any]:
    """The JSON of each event, but for OpenAI's `[DONE]`, which stays what it is."""
    return [data.decode() if data == b"[DONE]" else orjson.loads(data) for _, data in events_in(content)]
