"""An answer in plain fields, as it comes: server-sent events, each an object with a `type`.

`delta` has more of the content, `reasoning` more of what the model shows of its thoughts. `done` comes last and has all
that a whole answer has but the content. `error` comes in its place where the answer was cut; then the connection is
cut, too.
"""

from collections.abc import Callable
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.events import Event, KeptAlive, RefusalDelta, TextDelta, ThinkingDelta
from understudy_proxy.dialects.canonical.fold import Folding
from understudy_proxy.dialects.sse import CONTENT_TYPE
from understudy_proxy.doors.asking import Saying
from understudy_proxy.doors.door import Refused
from understudy_proxy.doors.plain.errors import error_fields
from understudy_proxy.failure import UpstreamFailure

Ending = Callable[[Said, Saying], dict[str, Any]]
"""The fields of `done`."""

_KEPT_ALIVE = b": \n\n"


class PlainVoice:
    """Tells an answer in plain fields."""

    content_type = CONTENT_TYPE

    def __init__(self, ending: Ending) -> None:
        """End with what `ending` makes of the whole answer."""
        self._ending = ending
        self._folding = Folding()

    async def say(self, event: Event) -> bytes:
        """More words, or that more are coming."""
        self._folding.add(event)
        match event:
            case TextDelta(text=text, choice=0) | RefusalDelta(text=text, choice=0):
                return _event({"type": "delta", "content": text})
            case ThinkingDelta(text=text, choice=0):
                return _event({"type": "reasoning", "content": text})
            case KeptAlive():
                return _KEPT_ALIVE
            case _:
                return b""

    def end(self, saying: Saying) -> bytes:
        """All that a whole answer has but the content."""
        return _event({"type": "done", **self._ending(self._folding.answer(), saying)})

    def cut(self, refused: Refused, failure: UpstreamFailure) -> bytes:  # noqa: ARG002 - the refusal names it
        """An error."""
        return _event({"type": "error", **error_fields(refused)})


def _event(fields: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(fields) + b"\n\n"
