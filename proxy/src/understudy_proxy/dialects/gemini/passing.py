"""Google's format on both sides: a request passes but for the model's name, the answer as it is.

Streams are always asked for as server-sent events, and put into an array on the way where the client wants one.
"""

from collections.abc import Mapping
from typing import Any

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.failures.kinds import is_success, no_answer, parsed
from understudy_proxy.dialects.gemini.encode import named, path_of
from understudy_proxy.dialects.gemini.failures import failure_in, refused
from understudy_proxy.dialects.gemini.foreign import with_escapes, without_foreign
from understudy_proxy.dialects.gemini.framing import framing_of
from understudy_proxy.dialects.gemini.generations import generation_of
from understudy_proxy.dialects.gemini.messages import camel
from understudy_proxy.dialects.gemini.passed import PassedStream
from understudy_proxy.dialects.gemini.persona import with_persona
from understudy_proxy.dialects.gemini.provider import STREAM, WHOLE
from understudy_proxy.dialects.gemini.request import GenerateRequest
from understudy_proxy.dialects.gemini.usage import read_usage
from understudy_proxy.dialects.gemini.vertex import is_vertex
from understudy_proxy.dialects.interpretation import Call, Reading


class PassedGenerate:
    """One request on its way to one provider."""

    __slots__ = ("_asked", "call")

    def __init__(self, asked: GenerateRequest, candidate: Candidate, prompt: Prompt | None) -> None:
        """Make it ready to be sent.

        Raises:
            RequestError: the request is wrong, where a persona makes it read at all.
        """
        self._asked = asked
        warnings: list[str] = []
        body = _prepared(asked, candidate, prompt, warnings)
        _name(body, candidate)
        path = path_of(candidate, STREAM if asked.stream else WHOLE)
        self.call = Call(path, written(body), warnings=tuple(warnings))
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a response that is not a stream says, in one parse. Header names are lower case."""
        return _read(status, headers, body, "candidates")

    def flow(self) -> PassedStream:
        """The reader of a stream that answers it."""
        return PassedStream(framing_of(array=self._asked.array))


class PassedCount:
    """One request to be counted on its way to one provider."""

    __slots__ = ("call",)

    def __init__(self, asked: GenerateRequest, candidate: Candidate, prompt: Prompt | None) -> None:
        """Make it ready to be sent.

        Raises:
            RequestError: the request is wrong, where a persona makes it read at all.
        """
        warnings: list[str] = []
        request = _prepared(asked, candidate, prompt, warnings)
        vertex = is_vertex(candidate)
        wrapped = not vertex and (prompt is not None or asked.request is not asked.body)
        _name(request, candidate)
        if vertex:
            # It takes what is read, and refuses how an answer is to be made.
            request = {name: value for name, value in request.items() if camel(name) not in {"model", "toolConfig"}}
        elif wrapped:
            request = {"generateContentRequest": {**request, "model": f"models/{named(candidate)}"}}
        self.call = Call(path_of(candidate, "countTokens"), written(request), warnings=tuple(warnings))
        """What to send."""

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """The count as it is."""
        return _read(status, headers, body, "totalTokens")

    def flow(self) -> PassedStream:
        """Counts are not streamed; were one, it would be read like any other."""
        return PassedStream(framing_of(array=False))


def _prepared(
    asked: GenerateRequest, candidate: Candidate, prompt: Prompt | None, warnings: list[str]
) -> dict[str, Any]:
    """The `GenerateContentRequest` to send: a dictionary of its own, whose values may be the client's."""
    model = candidate.upstream_model
    request = dict(asked.request)
    if asked.foreign:
        request = without_foreign(request)
    if generation_of(model).wants_signatures:
        request = with_escapes(request)
    if prompt is not None:
        request = with_persona(request, prompt, model=model, warnings=warnings)
    return request


def _name(request: dict[str, Any], candidate: Candidate) -> None:
    """A body may repeat the model of its path."""
    if "model" in request:
        request["model"] = f"models/{named(candidate)}"


def _read(status: int, headers: Mapping[str, str], body: bytes, wanted: str) -> Reading:
    if not is_success(status):
        return Reading(refused(status, headers, body))
    answer = parsed(body)
    if (failure := failure_in(answer)) is not None:
        return Reading(failure)
    if not isinstance(answer, dict) or not answer.get(wanted):
        return Reading(no_answer(body, answer, status=status))
    return Reading(None, read_usage(answer.get("usageMetadata")), body)
