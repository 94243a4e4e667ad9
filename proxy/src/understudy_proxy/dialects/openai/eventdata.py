"""What an event of OpenAI's streams carries."""

from understudy_proxy.dialects.failures.kinds import parsed
from understudy_proxy.dialects.sse import parse

DONE = b"[DONE]"
"""In the place of a chunk: the answer is whole."""


def is_whole(tail: bytes) -> bool:
    """Whether what a stream ended with lacks nothing but its empty line."""
    data = parse(tail).data
    return data is not None and (data.strip() == DONE or isinstance(parsed(data), dict))
