"""Anthropic's dialect on both sides: the request passes but for the model's name, the answer as it is.

What of a persona is in OpenAI's words is said in this dialect's by the code that translates whole requests.
"""

from collections.abc import Mapping
from typing import Any

from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.anthropic.decode import failure_in, read_count
from understudy_proxy.dialects.anthropic.encode import to_count
from understudy_proxy.dialects.anthropic.handover import NOT_THINKING, lacks_reasoning, without_foreign
from understudy_proxy.dialects.anthropic.names import (
    BETA_HEADER,
    COUNT_PATH,
    PATH,
    SAMPLING,
    VERSION_HEADER,
    VERSION_WITHOUT_SAMPLING,
)
from understudy_proxy.dialects.anthropic.passing_stream import MessagesStream
from understudy_proxy.dialects.anthropic.persona import in_role
from understudy_proxy.dialects.anthropic.request import MessagesRequest
from understudy_proxy.dialects.anthropic.usage import read_usage
from understudy_proxy.dialects.bodies import written
from understudy_proxy.dialects.failures.kinds import is_success, parsed, refused
from understudy_proxy.dialects.interpretation import Call, Reading
from understudy_proxy.failure import UpstreamFailure


class PassedMessage:
    """One request on its way to one provider."""

    __slots__ = ("call",)

    def __init__(self, asked: MessagesRequest, candidate: Candidate, prompt: Prompt | None) -> None:
        """Make it ready to be sent.

        Raises:
            RequestError: the body is nested too deeply to be written again, or a persona's parameter is wrong.
            Unsupported: a persona has parameters that this dialect cannot say.
        """
        body, warnings = _body(asked, candidate, prompt)
        self.call = Call(PATH, written(body), _headers(asked), warnings)

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What a response that is not a stream says, in one parse."""
        if not is_success(status):
            return Reading(refused(status, headers, body))
        answer = parsed(body)
        failure = failure_in(answer, body, status=status, headers=headers)
        return Reading(failure) if failure is not None else Reading(None, read_usage(answer.get("usage")), body)

    def flow(self) -> MessagesStream:
        """The reader of a stream that answers it."""
        return MessagesStream()


class PassedCount:
    """A request for a count on its way to one provider."""

    __slots__ = ("call",)

    def __init__(self, asked: MessagesRequest, candidate: Candidate, prompt: Prompt | None) -> None:
        """As `PassedMessage`."""
        body, warnings = _body(asked, candidate, prompt)
        self.call = Call(COUNT_PATH, written(to_count(body)), _headers(asked), warnings)

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """`{"input_tokens": N}`, as it is."""
        tokens = read_count(status, headers, body)
        return Reading(tokens) if isinstance(tokens, UpstreamFailure) else Reading(None, body=body)

    def flow(self) -> MessagesStream:
        """Never asked for."""
        return MessagesStream()


def _headers(asked: MessagesRequest) -> tuple[tuple[str, str], ...]:
    """The version that the body is written in, and the client's betas."""
    version = ((VERSION_HEADER, asked.version),)
    return version if asked.betas is None else (*version, (BETA_HEADER, asked.betas))


def _body(
    asked: MessagesRequest, candidate: Candidate, prompt: Prompt | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The client's body with the provider's name of the model, and what a persona adds."""
    body: dict[str, Any] = {**asked.body, "model": candidate.upstream_model}
    warnings: tuple[str, ...] = ()
    if asked.tagged:
        body["messages"] = without_foreign(body["messages"])
    if prompt is not None:
        body, warnings = in_role(prompt, body, candidate)
        if asked.version >= VERSION_WITHOUT_SAMPLING:
            taken = [name for name in SAMPLING if body.pop(name, None) is not None]
            warnings += tuple(f"The persona's {name!r} was left out: {asked.version} takes none." for name in taken)
    if lacks_reasoning(body):
        del body["thinking"]
        warnings += (NOT_THINKING,)
    return body, warnings
