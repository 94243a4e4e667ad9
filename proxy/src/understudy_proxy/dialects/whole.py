"""Translation of what is never streamed: vectors, counts of tokens."""

from collections.abc import Callable, Mapping
from typing import Generic, NoReturn, TypeVar

from understudy_proxy.dialects.interpretation import Call, Reading
from understudy_proxy.dialects.provider import Turn
from understudy_proxy.failure import UpstreamFailure

Result = TypeVar("Result")


class TranslatedWhole(Generic[Result]):
    """One request, translated; its answer is turned into the client's words by `render`."""

    __slots__ = ("_render", "_turn")

    def __init__(self, turn: Turn[Result], render: Callable[[Result], Reading]) -> None:
        self._turn = turn
        self._render = render

    @property
    def call(self) -> Call:
        """What to send."""
        return self._turn.call

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Reading:
        """What the answer says, in the client's dialect."""
        result = self._turn.read(status, headers, body)
        return Reading(result) if isinstance(result, UpstreamFailure) else self._render(result)

    def flow(self) -> NoReturn:
        """Nobody asks for a stream of these.

        Raises:
            TypeError: always.
        """
        raise TypeError("this answer is never streamed")
