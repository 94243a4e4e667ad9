"""What all chunks of a stream have in common: whose they are, its end, and what is said beside the answer."""

import time
from collections.abc import Callable
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.events import Began, Counted, Ended, Failed, KeptAlive, Resumed
from understudy_proxy.dialects.openai.completion import new_id
from understudy_proxy.dialects.openai.usage import stated
from understudy_proxy.dialects.usage import Usage

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
_CHUNK_END = b"}\n\n"


class Envelope:
    """The frame of one stream's chunks.

    Args:
        kind: the chunks' `object`.
        prefix: of an id, for a provider that gives none.
        model: what the client calls it, for a provider that does not say what answers.
        include_usage: the client asked for the usage chunk.
        now: seconds since the epoch.
    """

    __slots__ = (
        "_began",
        "_head",
        "_include_usage",
        "_kind",
        "_model",
        "_now",
        "_prefix",
        "_resumed",
        "_usage",
        "tail",
    )

    def __init__(
        self, kind: str, *, prefix: str, model: str, include_usage: bool, now: Callable[[], float] = time.time
    ) -> None:
        self._kind = kind
        self._prefix = prefix
        self._model = model
        self._include_usage = include_usage
        self._now = now
        self._began = Began()
        self._head = b""
        self._usage: Usage | None = None
        self._resumed: Resumed | None = None
        """Who goes on with the answer; the next chunk says so."""
        self.tail = b',"usage":null}\n\n' if include_usage else _CHUNK_END
        """What follows a chunk's choices."""

    @property
    def head(self) -> bytes:
        """What precedes a chunk's choices."""
        if not self._head:
            shared: dict[str, Any] = {
                "id": self._began.id or new_id(self._prefix),
                "object": self._kind,
                "created": int(self._now()),
                "model": self._began.model or self._model,
                "system_fingerprint": None,
            }
            if self._began.service_tier is not None:
                shared["service_tier"] = self._began.service_tier
            self._head = b"data: " + orjson.dumps(shared)[:-1] + b","
        return self._head

    def chunk(self, choice: dict[str, Any]) -> bytes:
        """A chunk with one choice."""
        return self.head + b'"choices":[' + orjson.dumps(choice) + b"]" + self.tail

    def marked(self, chunks: bytes) -> bytes:
        """`chunks`, the last of them with what there is to say beside the answer."""
        if self._resumed is None or not chunks:
            return chunks
        mark = orjson.dumps({"understudy": {"resumed_by": self._resumed.by}})
        self._resumed = None
        return chunks.removesuffix(_CHUNK_END) + b"," + mark[1:] + b"\n\n"

    def aside(self, event: Began | Counted | KeptAlive | Resumed | Ended | Failed) -> bytes:
        """What is to be sent for an event that is no part of an answer."""
        match event:
            case Began():
                self._began = event
            case Counted():
                self._usage = event.usage
            case KeptAlive():
                return KEEP_ALIVE
            case Resumed():
                self._resumed = event
            case Ended():
                return self._end()
            case Failed():
                pass
        return b""

    def _end(self) -> bytes:
        """The usage chunk, whose `choices` are empty, and the end of the stream."""
        if not self._include_usage or self._usage is None:
            return DONE
        return self.head + b'"choices":[],"usage":' + orjson.dumps(stated(self._usage)) + _CHUNK_END + DONE
