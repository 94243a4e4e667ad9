"""How a mock answers when no fault is in play.

Faults are no part of it: they come and go while a mock runs (see `faults`).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """What every answer of a mock is made from, besides the request.

    Attributes:
        reply: The text of every answer; None for one that names the mock, the model and what was asked.
        tokens: How many pieces a text answer has (one piece is one streamed chunk and one token); None for
            as many as its words.
        first_token_delay: Seconds before the first chunk of a stream. The headers go out at once.
        token_interval: Seconds between two chunks. An answer in one piece takes as long as its stream would.
        models: The models served; any other name is refused. Empty: any name is answered.
        require_key: The one API key that is let in; None lets everybody in.
    """

    reply: str | None = None
    tokens: int | None = None
    first_token_delay: float = 0.0
    token_interval: float = 0.0
    models: tuple[str, ...] = ()
    require_key: str | None = field(default=None, repr=False)
