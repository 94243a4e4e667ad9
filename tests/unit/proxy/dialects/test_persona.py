"""A persona means the same whether a request passes through or is translated, whatever dialect its client speaks."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.conversations import plain_chat
from understudy_api.config import Prompt
from understudy_proxy.dialects.canonical.chat import Chat, Effort, Reasoning, Sampling, Tool
from understudy_proxy.dialects.canonical.content import Message, Role, Text
from understudy_proxy.dialects.openai.client import CLIENT
from understudy_proxy.dialects.openai.persona import applied as applied_to_body
from understudy_proxy.dialects.openai.request import read
from understudy_proxy.dialects.persona import applied
from understudy_proxy.dialects.request_error import RequestError, Unsupported

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
HELLO = (Message(Role.USER, (Text("Hello"),)),)


def _tool(name: str, description: str = "") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description}}


def _parameters(*, nullable: bool) -> st.SearchStrategy[dict[str, Any]]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "seed": st.integers(0, 9),
        "stop": st.lists(st.text(max_size=3), min_size=1, max_size=2),
        "max_tokens": st.integers(1, 9),
        "max_completion_tokens": st.integers(1, 9),
        "n": st.integers(2, 3),
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
        "response_format": st.just({"type": "json_object"}),
        "reasoning_effort": st.sampled_from(Effort).map(str),
        "user": st.text(min_size=1, max_size=3),
        "verbosity": st.sampled_from(["low", "high"]),
        "model": st.just("other"),
        "messages": st.just([]),
        "stream": st.just(True),
    }
    return st.fixed_dictionaries(
        {}, optional={name: st.none() | value if nullable else value for name, value in values.items()}
    )


prompts = st.builds(
    Prompt,
    system=st.none() | st.text(min_size=1, max_size=5),
    defaults=_parameters(nullable=False),
    overrides=_parameters(nullable=True),
    tools=st.lists(st.sampled_from(["a", "b", "c"]), unique=True).map(lambda names: tuple(map(_tool, names))),
)
bodies = _parameters(nullable=True).map(
    lambda fields: {
        **fields,
        "model": "m",
        "stream": False,
        "messages": [{"role": "system", "content": "Own."}, {"role": "user", "content": "Hello"}],
        "tools": [_tool("b", "own"), _tool("d", "own")],
    }
)


@unhurried
@given(bodies, prompts)
def test_the_same_on_both_ways(body: dict[str, Any], prompt: Prompt) -> None:
    """What a persona makes of a body and then is read, and what it makes of a body that was read, is one thing."""
    passed = CLIENT.chat(read(orjson.dumps(applied_to_body(prompt, body))))
    assert plain_chat(passed) == plain_chat(applied(prompt, CLIENT.chat(read(orjson.dumps(body)))))


def test_over_a_client_of_another_dialect() -> None:
    """What a client says in its own dialect counts as said: defaults keep off it, overrides do not."""
    chat = Chat(
        "m",
        HELLO,
        system=(Text("Own."),),
        tools=(Tool("a", "own"), Tool("b")),
        sampling=Sampling(temperature=0.1, top_k=5, stop=("x",)),
        max_tokens=9,
        reasoning=Reasoning(budget_tokens=100),
        extra={"container": 1},
    )
    prompt = Prompt(
        system="Be brief.",
        defaults={"temperature": 1, "top_p": 0.5, "max_tokens": 5, "reasoning_effort": "low", "verbosity": "low"},
        overrides={"stop": None, "top_k": 7, "container": None, "max_completion_tokens": 3, "seed": 1},
        tools=(_tool("a", "persona's"),),
    )
    assert {
        "model": "m",
        "messages": [{"user": ["Hello"]}],
        "system": ["Be brief.", "Own."],
        "tools": [{"name": "b"}, {"name": "a", "description": "persona's"}],
        "sampling": {"temperature": 0.1, "top_p": 0.5, "top_k": 7, "seed": 1},
        "max_tokens": 3,
        "reasoning": {"budget_tokens": 100},
        "extra": {"verbosity": "low"},
    } == plain_chat(applied(prompt, chat))


@pytest.mark.parametrize(
    ("prompt", "error"),
    [
        pytest.param(Prompt(overrides={"temperature": "hot"}), RequestError, id="no number"),
        pytest.param(Prompt(defaults={"reasoning_effort": "huge"}), Unsupported, id="a word that is new"),
        pytest.param(Prompt(tools=({"type": "custom", "custom": {"name": "x"}},)), Unsupported, id="custom tool"),
    ],
)
def test_a_persona_that_cannot_be_said(prompt: Prompt, error: type[Exception]) -> None:
    """A persona's slip is told as a client's would be, and breaks nothing."""
    with pytest.raises(error):
        applied(prompt, Chat("m", HELLO))
