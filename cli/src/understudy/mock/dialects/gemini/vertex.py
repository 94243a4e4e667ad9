"""Gemini on Vertex AI: the same messages at `/v1/projects/P/locations/L/publishers/google/models/M:…`.

It wants a bearer token, and its streams begin with a chunk that has no candidates yet. Models of other publishers
are left out.
"""

import re
from datetime import UTC, datetime
from urllib.parse import unquote

import orjson

from understudy.mock.asks import Call, Chat
from understudy.mock.delivery import Stream
from understudy.mock.dialects.dialect import Head, Stamp, bearer
from understudy.mock.dialects.gemini.answers import named, streamed
from understudy.mock.dialects.gemini.developer import Gemini, call_of, framed
from understudy.mock.failures import Failure, FailureKind
from understudy.mock.replies import Reply

_MODEL = re.compile(
    r"/v1(?:beta1)?/(?:projects/[^/]+/locations/[^/]+/)?publishers/google/models/([^/:]+)(?::([A-Za-z]+))?"
)


class Vertex(Gemini):
    """Gemini's dialect as Google Cloud has it."""

    def find(self, head: Head) -> Call | None:
        """The model is at the end of a resource name."""
        found = _MODEL.fullmatch(head.path)
        return call_of(head, model=unquote(found[1]), method=found[2]) if found else None

    def credential(self, head: Head) -> str | None:
        """A bearer token alone, or in express mode a key."""
        return bearer(head.headers) or head.headers.get("x-goog-api-key") or head.query.get("key")

    def bad_key(self, given: str | None) -> Failure:  # noqa: ARG002 - the same for both
        """A wrong token and none at all are answered alike."""
        message = (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential."
        )
        return Failure(FailureKind.BAD_KEY, 401, message)

    def stream(self, chat: Chat, reply: Reply, stamp: Stamp) -> Stream:
        """A first chunk with neither candidates nor counts, then as everywhere."""
        created = datetime.fromtimestamp(stamp.created, UTC).isoformat()
        first = {"usageMetadata": {"trafficType": "ON_DEMAND"}, **named(chat, stamp), "createTime": created}
        rest = streamed(chat, reply, stamp)
        return framed(Stream((orjson.dumps(first),), rest.pieces, rest.closing), chat.variant)
