"""Conversations made to fit the window of whoever is asked."""

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.trimming import within

_ANSWER_SHARE = 4
"""This part of a window, at most, is left for an answer whose length is not told."""
_CAUTION = 0.8
"""Of what is left for the request: its tokens are an estimate, and a request that is too long is refused."""


def fitted(chat: Chat, candidate: Candidate) -> Chat:
    """`chat` without the oldest of its remembered messages where `candidate` could not take them all."""
    window = candidate.context_window
    if not chat.kept or window is None:
        return chat
    answer = chat.max_tokens or min(candidate.max_output_tokens or window, window // _ANSWER_SHARE)
    return within(chat, int((window - answer) * _CAUTION))
