"""Conversations made to fit whoever is asked."""

import pytest

from harness.runtimes import a_candidate, a_model
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.windows import fitted

TURN = 100
"""Tokens of each message, roughly."""


def chat(turns: int, *, kept: bool = True, max_tokens: int | None = None) -> Chat:
    """A conversation of so many remembered turns, and a question."""
    words = (Text("x" * 4 * (TURN - 1)),)
    messages = tuple(Message(role, words) for _ in range(turns) for role in (Role.USER, Role.ASSISTANT))
    return Chat(
        model="m",
        messages=(*messages, Message(Role.USER, words)),
        kept=len(messages) if kept else 0,
        max_tokens=max_tokens,
    )


@pytest.mark.parametrize(
    ("asked", "window", "longest", "left"),
    [
        pytest.param(chat(10), None, None, 21, id="a window that nobody knows"),
        pytest.param(chat(10), 10_000, None, 21, id="all of it fits"),
        # A quarter is left for the answer, and a fifth of the rest for what the estimate is wrong by: 1200 tokens.
        pytest.param(chat(10), 2000, None, 11, id="as much as fits beside an answer"),
        pytest.param(chat(10), 2000, 125, 15, id="beside the longest answer that the model gives"),
        pytest.param(chat(10, max_tokens=1000), 2000, None, 7, id="beside the longest answer that is wanted"),
        pytest.param(chat(10), 50, None, 1, id="what is new is sent whatever the window"),
        pytest.param(chat(10, kept=False), 2000, None, 21, id="nothing of a client's own is left out"),
    ],
)
def test_fitted(asked: Chat, window: int | None, longest: int | None, left: int) -> None:
    """The last turns, whole."""
    model = a_model(context_window=window, max_output_tokens=longest)
    cut = fitted(asked, a_candidate("ai/p:m", model))
    assert left == len(cut.messages)
    assert asked.messages[-left:] == cut.messages
