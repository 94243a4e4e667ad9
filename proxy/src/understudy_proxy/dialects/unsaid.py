"""What of a request a vendor has no word for, and what changes nothing in the answer's meaning: warnings.

For vendors that have none of it; what only some of them lack, they tell themselves.
"""

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Document, Image, Text, ToolCall, ToolResult

_DETAILS = frozenset({None, "auto"})


def unsaid(chat: Chat, vendor: str) -> list[str]:
    """Sentences for the client."""
    missing = [f"{vendor} has no '{name[:64]}': it was not sent." for name in chat.extra]
    if chat.user is not None:
        missing.append(f"{vendor} is not told whom an answer is for: user was not sent.")
    if chat.service_tier is not None:
        missing.append(f"{vendor} has no such service tiers: service_tier was not sent.")
    if has_cache_marks(chat):
        missing.append(f"{vendor} caches by itself: cache marks were not sent.")
    if any(isinstance(part, Image) and part.detail not in _DETAILS for turn in chat.messages for part in turn.parts):
        missing.append(f"{vendor} has no detail of an image: it was not sent.")
    if chat.sampling.logit_bias:
        missing.append(f"{vendor} has no logit_bias: it was not sent.")
    if chat.tools and chat.parallel_tool_calls is False:
        missing.append(f"{vendor} cannot be kept from calling several tools at once: parallel_tool_calls was not sent.")
    if any(tool.strict for tool in chat.tools):
        missing.append(f"{vendor} does not hold a model to a tool's schema: strict was not sent.")
    return missing


def has_cache_marks(chat: Chat) -> bool:
    """Whether the client says what may be cached."""
    parts = (part for message in chat.messages for part in message.parts)
    return (
        any(text.cache for text in chat.system)
        or any(tool.cache for tool in chat.tools)
        or any(isinstance(part, (Text, Image, Document, ToolCall, ToolResult)) and part.cache for part in parts)
    )
