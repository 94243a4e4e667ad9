"""What of a request is changed though both sides speak OpenAI's dialect: only what the provider would refuse."""

from typing import Any

import orjson
import pytest

from harness.runtimes import a_model, a_provider, a_runtime
from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.interpretation import Call
from understudy_proxy.dialects.openai.passing import PassedChat
from understudy_proxy.dialects.openai.request import read

HELLO = {"role": "user", "content": "Hello"}
GEMINIS = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "understudy.anthropic.c2ln"}
OWN_THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
REDACTED = {"type": "redacted_thinking", "data": "understudy.anthropic.ZGF0YQ=="}


def _candidate(kind: str, model: str = "m") -> Candidate:
    provider = a_provider("ai/p", serves={"m": a_model(upstream_name=model)}, type=kind)
    return a_runtime(provider).upstreams["ai/p"].candidates["m"]


def _call(body: dict[str, Any], candidate: Candidate, prompt: Prompt | None = None) -> Call:
    return PassedChat(read(orjson.dumps({"model": "chat", "messages": [HELLO]} | body)), candidate, prompt).call


def _sent(body: dict[str, Any], candidate: Candidate, prompt: Prompt | None = None) -> dict[str, Any]:
    sent: dict[str, Any] = orjson.loads(_call(body, candidate, prompt).body)
    return sent


def _answered(**message: Any) -> dict[str, Any]:
    return {"messages": [HELLO, {"role": "assistant", "content": "x"} | message, HELLO]}


@pytest.mark.parametrize(
    ("kind", "message", "sent"),
    [
        pytest.param("OpenAI", {"thinking_blocks": [THOUGHT], "reasoning_content": "hm"}, {}, id="OpenAI, Claude's"),
        pytest.param("OpenAI", {"tool_calls": [CALL | GEMINIS]}, {"tool_calls": [CALL]}, id="OpenAI, Gemini's"),
        pytest.param("Groq", {"reasoning_content": "hm"}, {}, id="Groq"),
        pytest.param(
            "DeepSeek",
            {"thinking_blocks": [OWN_THOUGHT, REDACTED], "reasoning_content": "hm"},
            {"reasoning_content": "hm"},
            id="DeepSeek wants reasoning back, but no foreign signature",
        ),
        pytest.param(
            "OpenAICompatible",
            {"thinking_blocks": [OWN_THOUGHT], "tool_calls": [CALL | GEMINIS]},
            {"thinking_blocks": [OWN_THOUGHT], "tool_calls": [CALL | GEMINIS]},
            id="who may be Gemini or a gateway gets what is not marked",
        ),
        pytest.param(
            "OpenAICompatible",
            {"tool_calls": [CALL | {"extra_content": {"google": {"thought_signature": "understudy.anthropic.c2ln"}}}]},
            {"tool_calls": [CALL]},
            id="and nothing that is",
        ),
        pytest.param("OpenAI", {"content": "understudy.anthropic.x"}, {"content": "understudy.anthropic.x"}, id="text"),
    ],
)
def test_foreign_signatures_stay(kind: str, message: dict[str, Any], sent: dict[str, Any]) -> None:
    """What another vendor's answer brought into the conversation does not reach who would refuse it."""
    asked = _answered(**message)
    assert _answered(**sent)["messages"] == _sent(asked, _candidate(kind))["messages"]


def test_the_request_stays_whole_for_the_next_attempt() -> None:
    """What is taken out for one provider is still there for another."""
    asked = read(orjson.dumps({"model": "chat"} | _answered(thinking_blocks=[THOUGHT])))
    first = PassedChat(asked, _candidate("OpenAI"), None)
    assert b"thinking_blocks" not in first.call.body
    assert [THOUGHT] == asked.body["messages"][1]["thinking_blocks"]


@pytest.mark.parametrize(
    ("model", "limits", "sent"),
    [
        pytest.param("o3-mini", {"max_tokens": 5}, {"max_completion_tokens": 5}, id="o3-mini"),
        pytest.param("gpt-5.2", {"max_tokens": 5}, {"max_completion_tokens": 5}, id="gpt-5.2"),
        pytest.param(
            "gpt-5", {"max_tokens": 5, "max_completion_tokens": 6}, {"max_completion_tokens": 6}, id="both are given"
        ),
        pytest.param(
            "gpt-5", {"max_tokens": 5, "max_completion_tokens": None}, {"max_completion_tokens": 5}, id="one is null"
        ),
        pytest.param("gpt-4o", {"max_tokens": 5}, {"max_tokens": 5}, id="gpt-4o takes both names"),
        pytest.param("gpt-5-chat-latest", {"max_tokens": 5}, {"max_tokens": 5}, id="no reasoning"),
    ],
)
def test_limits_of_models_that_reason(model: str, limits: dict[str, Any], sent: dict[str, Any]) -> None:
    """A client that asks by a name of ours cannot know which name of the limit the model behind it takes."""
    body = _sent(limits, _candidate("OpenAI", model))
    assert sent == {name: value for name, value in body.items() if name.startswith("max_")}


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        pytest.param({"tool_choice": "required"}, {"tool_choice": "any"}, id="any tool"),
        pytest.param({"tool_choice": "auto"}, {"tool_choice": "auto"}, id="as it likes"),
        pytest.param(
            {
                "tools": [{"type": "function", "function": {"name": name}} for name in "fg"],
                "tool_choice": {"type": "function", "function": {"name": "g"}},
            },
            {"tools": [{"type": "function", "function": {"name": "g"}}], "tool_choice": "any"},
            id="one tool",
        ),
        pytest.param({"user": "x", "seed": 1, "top_p": 1}, {"random_seed": 1, "top_p": 1}, id="fields"),
        pytest.param(
            {"messages": [HELLO, {"role": "assistant", "tool_calls": [CALL]}, RESULT]},
            {
                "messages": [
                    HELLO,
                    {"role": "assistant", "tool_calls": [CALL | {"id": "74196fe72"}]},
                    RESULT | {"tool_call_id": "74196fe72"},
                ]
            },
            id="ids of calls",
        ),
    ],
)
def test_mistral(body: dict[str, Any], sent: dict[str, Any]) -> None:
    """Mistral gets its own words, since it refuses OpenAI's."""
    expected = {"model": "m", "messages": [HELLO]} | sent
    assert expected == _sent(body, _candidate("Mistral"))


def test_what_mistral_is_not_told_is_said() -> None:
    """The client hears of what was left out."""
    call = _call({"user": "x", "logit_bias": None}, _candidate("Mistral"))
    assert ("'user' was left out: this provider has no such parameter.",) == call.warnings


def test_a_limit_of_a_persona_counts_too() -> None:
    """A persona's limit reaches a model that reasons, by the name that it takes."""
    body = _sent({}, _candidate("AzureOpenAI", "o3"), Prompt(overrides={"max_tokens": 7}))
    assert 7 == body["max_completion_tokens"]
