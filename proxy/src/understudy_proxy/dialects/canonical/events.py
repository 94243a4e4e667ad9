"""An answer, piece by piece: what every vendor's stream is turned into, and every client's stream is made from.

Order: `Began` first, if at all; deltas of a choice in the order in which its parts are said; each part is contiguous,
but for tool calls, whose arguments some vendors interleave; `Finished` once for each choice, after its deltas;
`Counted` whenever the provider has counted, each time in total; `Ended` last. A stream without `Ended` was cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import Signature
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure


@dataclass(slots=True)
class Began:
    """The provider has taken the request up; nothing of an answer is there yet."""

    id: str | None = None
    model: str | None = None
    service_tier: str | None = None


@dataclass(slots=True)
class TextDelta:
    """More words of the answer."""

    text: str
    choice: int = 0
    logprobs: Mapping[str, Any] | None = None


@dataclass(slots=True)
class ThinkingDelta:
    """More words of the reasoning."""

    text: str
    choice: int = 0


@dataclass(slots=True)
class ThinkingSigned:
    """The reasoning before it is complete and has this signature; without reasoning before it, it stands for itself."""

    signature: Signature
    choice: int = 0


@dataclass(slots=True)
class ThinkingRedacted:
    """A whole part of reasoning that only Anthropic's models can read."""

    data: str
    choice: int = 0


@dataclass(slots=True)
class RefusalDelta:
    """More words with which the model declines."""

    text: str
    choice: int = 0


@dataclass(slots=True)
class ToolCallBegan:
    """A tool call: `index` counts the calls of the choice from 0; `id` and `name` are complete."""

    index: int
    id: str
    name: str
    choice: int = 0
    signature: Signature | None = None


@dataclass(slots=True)
class ArgumentsDelta:
    """More of the JSON text of a call's arguments; a call without any has `{}`."""

    index: int
    text: str
    choice: int = 0


@dataclass(slots=True)
class Finished:
    """A choice is over."""

    finish: Finish
    choice: int = 0
    stop_sequence: str | None = None


@dataclass(slots=True)
class Counted:
    """Tokens so far, in total."""

    usage: Usage


@dataclass(slots=True)
class KeptAlive:
    """The provider says that it is still there."""

    ours: bool = False
    """The gateway says so itself, because it is at work on the answer: clients hear of it even before anything was
    said, and those that know no sign of life as words without a letter."""


@dataclass(slots=True)
class Resumed:
    """Another backend goes on with an answer that was cut; what follows continues the text before."""

    by: str
    """`namespace/provider:model`, for whoever reads the stream."""


@dataclass(slots=True)
class Ended:
    """The answer is whole, and nothing follows."""


@dataclass(slots=True)
class Failed:
    """An error came in place of the rest; nothing follows."""

    failure: UpstreamFailure


Said = (
    TextDelta
    | ThinkingDelta
    | ThinkingSigned
    | ThinkingRedacted
    | RefusalDelta
    | ToolCallBegan
    | ArgumentsDelta
    | Finished
)
"""Events of a choice. With the first of them an answer has begun: no other provider can take over unnoticed."""
Event = Began | Said | Counted | KeptAlive | Resumed | Ended | Failed

SAYS: tuple[type, ...] = get_args(Said)
"""The types of `Said`, for `isinstance`."""
