"""Words of this dialect that both of its sides use.

https://platform.claude.com/docs/en/api/messages
"""

import re
from collections.abc import Mapping
from typing import Any

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import CacheMark

PATH = "/v1/messages"
COUNT_PATH = "/v1/messages/count_tokens"
VERSION_HEADER = "anthropic-version"
BETA_HEADER = "anthropic-beta"
VERSION = "2023-06-01"
"""What translated requests are written in: the version that takes sampling parameters."""
VERSION_WITHOUT_SAMPLING = "2026-10-21"
"""From this one on a request with any sampling parameter is wrong."""
SAMPLING = ("temperature", "top_p", "top_k")

NAME_CHARACTERS = re.compile("[a-zA-Z0-9_-]")
MAX_NAME = 128
IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
PDF = "application/pdf"

_TIERS = {"standard": "default"}
_FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "pause_turn": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "tool_use": Finish.TOOL_CALLS,
    "refusal": Finish.CONTENT_FILTER,
}
_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL_CALLS: "tool_use",
    Finish.CONTENT_FILTER: "refusal",
}


def finish_of(stop_reason: Any, *, calls: bool) -> Finish:
    """Why an answer ends. An unknown reason is an ordinary end; one beside tool calls is that of the calls.

    What was cut or filtered stays so even with calls: their arguments may not be whole.
    """
    finish = _FINISHES.get(stop_reason, Finish.STOP) if isinstance(stop_reason, str) else Finish.STOP
    if finish in {Finish.STOP, Finish.TOOL_CALLS}:
        return Finish.TOOL_CALLS if calls else Finish.STOP
    return finish


def tier_of(usage: Any) -> str | None:
    """The service tier that a `usage` states, in canonical words."""
    tier = usage.get("service_tier") if isinstance(usage, Mapping) else None
    return _TIERS.get(tier, tier) if isinstance(tier, str) else None


def stop_reason_of(finish: Finish, *, stop_sequence: str | None, refused: bool) -> str:
    """`finish` in this dialect's words."""
    if refused:
        return "refusal"
    if finish is Finish.STOP and stop_sequence is not None:
        return "stop_sequence"
    return _STOP_REASONS[finish]


def cache_control(mark: CacheMark) -> dict[str, str]:
    """The field of a block up to which a prompt may be cached."""
    return {"type": "ephemeral"} if mark.ttl is None else {"type": "ephemeral", "ttl": mark.ttl}
