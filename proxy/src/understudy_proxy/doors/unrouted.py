"""The words in which a request hears that nothing is served at its path: those of the vendor whose client sent it.

SDKs have methods for much that no gateway serves, such as files and batches; each reads only its own vendor's errors.
"""

from collections.abc import Mapping

from understudy_proxy.dialects.anthropic.names import VERSION_HEADER
from understudy_proxy.doors.anthropic.errors import anthropic_errors
from understudy_proxy.doors.door import ErrorFormat
from understudy_proxy.doors.gemini.errors import gemini_errors
from understudy_proxy.doors.mcp.errors import mcp_errors
from understudy_proxy.doors.ollama.errors import ollama_errors
from understudy_proxy.doors.openai.errors import openai_errors
from understudy_proxy.doors.plain.errors import plain_errors

_BY_PATH = (
    ("/v1/messages/", anthropic_errors),
    ("/v1beta/", gemini_errors),
    ("/v1beta1/", gemini_errors),
    ("/upload/", gemini_errors),
    ("/api/v1/", plain_errors),
    ("/internal/", plain_errors),
    ("/mcp/", mcp_errors),
    ("/api/", ollama_errors),
)
_BY_HEADER = ((VERSION_HEADER, anthropic_errors), ("x-goog-api-key", gemini_errors))
"""What only one vendor's clients send, wherever they ask."""


def unrouted_errors(path: str, headers: Mapping[str, str]) -> ErrorFormat:
    """The format for a request with `headers` whose path no route has; OpenAI's where nothing tells another."""
    for beginning, errors in _BY_PATH:
        if f"{path}/".startswith(beginning):
            return errors
    for header, errors in _BY_HEADER:
        if header in headers:
            return errors
    return openai_errors
