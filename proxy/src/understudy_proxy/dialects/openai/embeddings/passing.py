"""OpenAI's embeddings on both sides: what was asked passes, and so does the answer if it has the asked form."""

from collections.abc import Mapping
from typing import Any

import orjson

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.failures.kinds import no_answer
from understudy_proxy.dialects.interpretation import Call, Reading
from understudy_proxy.dialects.openai.embeddings.answers import answered
from understudy_proxy.dialects.openai.embeddings.provider import PATH, renamed
from understudy_proxy.dialects.openai.embeddings.request import EmbeddingRequest
from understudy_proxy.dialects.openai.embeddings.vectors import packed, unpacked
from understudy_proxy.dialects.openai.usage import read_usage
from understudy_proxy.failure import UpstreamFailure


class PassedEmbedding:
    """One request on its way to one provider."""

    __slots__ = ("_asked", "call")

    def __init__(self, asked: EmbeddingRequest, candidate: Candidate, _prompt: Prompt | None) -> None:
        """Make it ready to be sent; raises `RequestError` if the body is nested too deeply to be written again."""
        self._asked = asked
        body = renamed(asked.body | {"model": candidate.upstream_model}, candidate)
        self.call = Call(PATH, written(body))
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What the answer says; vectors in the other form than was asked for are put into that."""
        read = answered(status, headers, body, inputs=len(self._asked.inputs))
        if isinstance(read, UpstreamFailure):
            return Reading(read)
        answer, items = read
        try:
            changed = [self._put(item) for item in items]
        except ValueError:
            return Reading(no_answer(body, answer, status=status))
        return Reading(None, read_usage(answer), orjson.dumps(answer) if any(changed) else body)

    def flow(self) -> Any:
        """Nobody asks for a stream of these.

        Raises:
            TypeError: always.
        """
        raise TypeError("vectors are never streamed")

    def _put(self, item: dict[str, Any]) -> bool:
        """Give the vector the form that the client asked for; whether it had another."""
        vector = item["embedding"]
        if isinstance(vector, str) is self._asked.base64:
            return False
        item["embedding"] = unpacked(vector) if isinstance(vector, str) else packed(vector)
        return True
