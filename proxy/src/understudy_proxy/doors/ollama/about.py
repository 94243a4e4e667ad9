"""What Ollama's clients ask about a server: whether it runs, and what it can."""

import orjson

from understudy_proxy.doors.door import Answer, Request

_VERSION = "0.13.0"
"""Of Ollama, whose API this is: clients decide by it what they may send."""
_TEXT = "text/plain; charset=utf-8"


async def running(_request: Request) -> Answer:
    """The usual probe."""
    return Answer(body=b"Ollama is running", content_type=_TEXT)


async def version(_request: Request) -> Answer:
    """Which version's API this is."""
    return Answer(body=orjson.dumps({"version": _VERSION}))
