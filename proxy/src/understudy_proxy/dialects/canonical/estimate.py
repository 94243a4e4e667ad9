"""How many tokens a conversation is, roughly: good for choosing, not for billing."""

from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.routing.need import BYTES_PER_TOKEN

_IMAGE_TOKENS = 1000
_AUDIO_TOKENS = 500
_DOCUMENT_TOKENS = 3000
_TOOL_TOKENS = 150


def beside_messages(chat: Chat) -> int:
    """The tokens of all but the messages: system prompt and tools."""
    return sum(_of(text) for text in chat.system) + len(chat.tools) * _TOOL_TOKENS


def of_message(message: Message) -> int:
    """The tokens of one message."""
    return sum(_of(part) for part in message.parts)


def _of(part: Part) -> int:
    match part:
        case Image():
            return _IMAGE_TOKENS
        case Audio():
            return _AUDIO_TOKENS
        case Document():
            return _DOCUMENT_TOKENS if part.text is None else _words(part.text)
        case ToolCall():
            return _words(part.name + part.arguments)
        case ToolResult():
            return sum(_of(one) for one in part.content)
        case Text() | Thinking() | Refusal():
            return _words(part.text)


def _words(text: str) -> int:
    return len(text.encode(errors="surrogatepass")) // BYTES_PER_TOKEN + 1
