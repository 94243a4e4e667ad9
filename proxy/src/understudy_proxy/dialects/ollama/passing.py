"""Ollama's format on both sides: a request passes but for the model's name, the answer as it is."""

from collections.abc import Mapping
from typing import Any, NoReturn

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.dialects.interpretation import Asked, Call, Reading
from understudy_proxy.dialects.ollama.embeddings import EMBED
from understudy_proxy.dialects.ollama.encode import CHAT
from understudy_proxy.dialects.ollama.failures import failure_in, refused
from understudy_proxy.dialects.ollama.passed import PassedStream
from understudy_proxy.dialects.ollama.persona import with_persona
from understudy_proxy.dialects.ollama.request import OllamaRequest
from understudy_proxy.dialects.ollama.usage import read_usage

GENERATE = "/api/generate"


class PassedAnswer:
    """One request for an answer on its way to one provider."""

    __slots__ = ("_generate", "call")

    def __init__(self, asked: OllamaRequest, candidate: Candidate, prompt: Prompt | None) -> None:
        """Make it ready to be sent.

        Raises:
            RequestError: the request is wrong, where a persona makes it read at all.
        """
        self._generate = asked.generate
        warnings: list[str] = []
        body = dict(asked.body) if prompt is None else with_persona(asked, prompt, candidate, warnings)
        path = GENERATE if asked.generate else CHAT
        self.call = Call(path, written(_named(body, candidate)), warnings=tuple(warnings))
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a response that is not a stream says, in one parse. Header names are lower case."""
        return _read(status, headers, body, "response" if self._generate else "message")

    def flow(self) -> PassedStream:
        """The reader of a stream that answers it."""
        return PassedStream()


class PassedEmbedding:
    """One request for vectors on its way to one provider, with the path that it came by."""

    __slots__ = ("_wanted", "call")

    def __init__(self, asked: Asked, candidate: Candidate, *, path: str) -> None:
        self._wanted = "embeddings" if path == EMBED else "embedding"
        self.call = Call(path, written(_named(dict(asked.body), candidate)))
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """The answer as it is."""
        return _read(status, headers, body, self._wanted)

    def flow(self) -> NoReturn:
        """Nobody asks for a stream of these.

        Raises:
            TypeError: always.
        """
        raise TypeError("vectors are never streamed")


def _named(body: dict[str, Any], candidate: Candidate) -> dict[str, Any]:
    body.pop("name", None)
    body["model"] = candidate.upstream_model
    return body


def _read(status: int, headers: Mapping[str, str], body: bytes, wanted: str) -> Reading:
    if not is_success(status):
        return Reading(refused(status, headers, body))
    answer = parsed(body)
    if (failure := failure_in(answer)) is not None:
        return Reading(failure)
    if not isinstance(answer, dict) or answer.get(wanted) is None:
        return Reading(no_answer(body, answer, status=status))
    return Reading(None, read_usage(answer), body)
