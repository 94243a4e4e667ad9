"""A conversation with a model on behalf of whoever called a tool: whole, or told as it comes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from understudy_proxy.dialects.canonical.answer import Answer as Said
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.events import RefusalDelta, TextDelta
from understudy_proxy.dialects.canonical.fold import Folding
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.doors.asking import Answered, Asking, Saying
from understudy_proxy.doors.mcp.calling import Calling, Tell
from understudy_proxy.doors.sessions.turns import TurnAsking

Frame = Callable[[str], str]
"""Makes what the client is told of more words of the answer."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer, and how it came about."""

    said: Said
    usage: Usage | None
    how: Answered | Saying


async def converse(asking: Asking | TurnAsking, calling: Calling, chat: Chat, *, frame: Frame) -> Heard:
    """The answer to `chat`; in `frame` the caller is told of its words as they come, if it wants to know.

    Raises:
        Refused: nobody answered, or the request is wrong.
        UpstreamError: the answer was cut.
    """
    if calling.tell is None:
        answered = await asking.complete(calling.request, chat)
        return Heard(answered.said, answered.said.usage, answered)
    async with asking.stream(calling.request, replace(chat, stream=True)) as saying:
        said = await _pass_on(saying, calling.tell, frame)
        return Heard(said, saying.usage, saying)


async def _pass_on(saying: Saying, tell: Tell, frame: Frame) -> Said:
    folding = Folding()
    async for event in saying:
        folding.add(event)
        if isinstance(event, (TextDelta, RefusalDelta)) and event.choice == 0 and event.text:
            await tell(frame(event.text), headers=saying.headers)
    return folding.answer()
