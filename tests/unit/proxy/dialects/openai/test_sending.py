"""What is sent to a provider."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runtimes import a_candidate, a_model, a_provider, a_runtime
from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.openai.passing import sending
from understudy_proxy.dialects.openai.request import read
from understudy_proxy.dialects.request_error import RequestError

BACKEND = a_candidate("ai/openai:gpt", a_model(upstream_name="gpt-real"))
HELLO = {"role": "user", "content": "Hello"}


def _sent(body: dict[str, Any] | bytes, prompt: Prompt | None = None, *, backend: Candidate = BACKEND) -> bytes:
    return sending(read(body if isinstance(body, bytes) else orjson.dumps(body)), backend, prompt).body


def _prompted(body: dict[str, Any], **prompt: Any) -> dict[str, Any]:
    sent = orjson.loads(_sent({"model": "persona/p", "messages": [HELLO]} | body, Prompt(**prompt)))
    assert isinstance(sent, dict)
    return sent


def test_only_the_model_changes() -> None:
    """The provider gets the client's fields, in their order, known and unknown ones, with another model's name."""
    body = (
        b'{ "messages" : [{"role":"user","content":"\xc3\xa4 \\" \\\\"}],\n"model" : "chat", "x": {"new": [1.5, null]}}'
    )
    assert _sent(body) == (
        b'{"messages":[{"role":"user","content":"\xc3\xa4 \\" \\\\"}],"model":"gpt-real","x":{"new":[1.5,null]}}'
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"model":"chat","messages":[{"role":"user","content":"\\"model\\":\\"x\\""}]}', id="in text"),
        pytest.param(b'{"metadata":{"model":"x"},"model":"chat","messages":[{"role":"user"}]}', id="deeper"),
        pytest.param(b'{"user":"model","model":"chat","messages":[{"role":"user"}]}', id="as a value"),
        pytest.param(b'{"mod\\u0065l":"chat","messages":[{"role":"user"}]}', id="escaped"),
        pytest.param(b'{"x":{"model":"x"},"mod\\u0065l":"chat","messages":[{"role":"user"}]}', id="both"),
        pytest.param(b'{"model":"other","messages":[{"role":"user"}],"model":"chat"}', id="twice"),
        pytest.param(b'{"model":"gpt-real","messages":[{"role":"user"}],"mod\\u0065l":"chat"}', id="once escaped"),
        pytest.param(b'{"model":"other","messages":[{"role":"user"}],"model":"gpt-real"}', id="the right one last"),
        pytest.param(b'{"model":"ch\\"at","messages":[{"role":"user"}]}', id="with a quotation mark in it"),
        pytest.param(b'{"model":"a\\\\","messages":[{"role":"user"}]}', id="with a backslash at its end"),
    ],
)
def test_no_spelling_smuggles_another_model(body: bytes) -> None:
    """However a body spells it, the provider gets exactly one top-level model, and that is the chosen one."""
    pairs = json.loads(_sent(body), object_pairs_hook=lambda pairs: pairs)
    assert [value for key, value in pairs if key == "model"] == ["gpt-real"]
    expected = orjson.loads(body) | {"model": "gpt-real"}
    assert orjson.loads(_sent(body)) == expected


@given(
    st.dictionaries(
        st.sampled_from(["model", "user", 'mo"del', "metadata", "x", '"model":'])
        | st.text(max_size=8).map("x-{}".format),
        st.text(max_size=12) | st.sampled_from(['"model":"x"', "model", '\\"model"', '{"model":"x"}']),
    ),
    st.text(max_size=20),
    st.booleans(),
    st.booleans(),
)
def test_everything_else_stays(fields: dict[str, str], model: str, escaped: bool, stream: bool) -> None:
    """Whatever else is in a body reaches the provider."""
    body = fields | {"model": model or "m", "messages": [HELLO], "stream": stream}
    raw = json.dumps(body, ensure_ascii=escaped).encode()
    added = {"stream_options": {"include_usage": True}} if stream else {}
    assert orjson.loads(_sent(raw)) == body | {"model": "gpt-real"} | added


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        pytest.param(None, {"include_usage": True}, id="null"),
        pytest.param({}, {"include_usage": True}, id="empty"),
        pytest.param({"include_usage": False}, {"include_usage": True}, id="not wanted"),
        pytest.param({"include_usage": True}, {"include_usage": True}, id="wanted"),
        pytest.param(
            {"include_obfuscation": False}, {"include_obfuscation": False, "include_usage": True}, id="beside others"
        ),
    ],
)
def test_streams_are_metered(options: dict[str, Any] | None, sent: dict[str, Any]) -> None:
    """A stream's tokens are asked for whatever the client wants to see, and its other options stay."""
    body = {"model": "chat", "messages": [HELLO], "stream": True, "stream_options": options}
    assert orjson.loads(_sent(body))["stream_options"] == sent


def test_whole_answers_state_usage_unasked() -> None:
    """Without a stream nothing is added."""
    assert "stream_options" not in orjson.loads(_sent({"model": "chat", "messages": [HELLO]}))


MISTRAL = (
    a_runtime(a_provider("ai/mistral", serves={"m": a_model(upstream_name="mistral-small")}, type="Mistral"))
    .upstreams["ai/mistral"]
    .candidates["m"]
)


def test_mistral_gets_what_it_takes() -> None:
    """Mistral answers 422 to fields that OpenAI takes: it gets its own names for them, and meters by itself."""
    body = {"model": "chat", "messages": [HELLO], "stream": True, "max_completion_tokens": 5, "seed": 1}
    assert orjson.loads(_sent(body, backend=MISTRAL)) == {
        "model": "mistral-small",
        "messages": [HELLO],
        "stream": True,
        "max_tokens": 5,
        "random_seed": 1,
    }
    options = {"model": "chat", "messages": [HELLO], "stream": True, "stream_options": {"include_usage": True}}
    assert "stream_options" not in orjson.loads(_sent(options, backend=MISTRAL))
    plain = b'{"model":"chat","messages":[{"role":"user","content":"Hi"}],"stream":true}'
    assert _sent(plain, backend=MISTRAL) == plain.replace(b"chat", b"mistral-small")


def test_the_prompt_comes_first() -> None:
    """A persona's words come before the conversation, the client's own system message included."""
    own = {"role": "system", "content": "Be brief."}
    sent = _prompted({"messages": [own, HELLO]}, system="You are a pirate.")
    assert sent["messages"] == [{"role": "system", "content": "You are a pirate."}, own, HELLO]


@pytest.mark.parametrize(
    ("body", "defaults", "sent"),
    [
        pytest.param({}, {"temperature": 0.2}, {"temperature": 0.2}, id="absent"),
        pytest.param({"temperature": None}, {"temperature": 0.2}, {"temperature": 0.2}, id="null"),
        pytest.param({"temperature": 0}, {"temperature": 0.2}, {"temperature": 0}, id="zero is a value"),
        pytest.param({"max_completion_tokens": 7}, {"max_tokens": 9}, {"max_completion_tokens": 7}, id="other name"),
        pytest.param({}, {"model": "x", "messages": [], "stream": True}, {}, id="what is no parameter"),
    ],
)
def test_defaults(body: dict[str, Any], defaults: dict[str, Any], sent: dict[str, Any]) -> None:
    """Defaults stand in where the client says nothing."""
    assert _prompted(body, defaults=defaults) == {"model": "gpt-real", "messages": [HELLO]} | sent


@pytest.mark.parametrize(
    ("body", "overrides", "sent"),
    [
        pytest.param({"temperature": 1}, {"temperature": 0.2}, {"temperature": 0.2}, id="whatever the client says"),
        pytest.param({"temperature": 1}, {"temperature": None}, {}, id="null takes it out"),
        pytest.param({"max_tokens": 9}, {"max_tokens": 5}, {"max_tokens": 5}, id="a limit"),
        pytest.param(
            {"max_completion_tokens": 9}, {"max_tokens": 5}, {"max_completion_tokens": 5}, id="no way around a limit"
        ),
        pytest.param(
            {"max_completion_tokens": 9, "max_tokens": 9},
            {"max_tokens": 5},
            {"max_completion_tokens": 5},
            id="by both",
        ),
        pytest.param({"max_tokens": 9}, {"max_completion_tokens": 5}, {"max_tokens": 5}, id="nor the other way"),
        pytest.param({}, {"max_tokens": 5}, {"max_tokens": 5}, id="absent"),
        pytest.param({}, {"model": "x", "messages": [], "stream": True}, {}, id="what is no parameter"),
    ],
)
def test_overrides(body: dict[str, Any], overrides: dict[str, Any], sent: dict[str, Any]) -> None:
    """Overrides hold whatever the client says, under whichever name it says it."""
    assert _prompted(body, overrides=overrides) == {"model": "gpt-real", "messages": [HELLO]} | sent


def _tool(name: str, description: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description}}


def test_tools_stand_beside_the_clients_own() -> None:
    """A persona's tools are declared too; a name that both use means the persona's."""
    custom = {"type": "custom", "custom": {"name": "c"}}
    sent = _prompted(
        {"tools": [_tool("mine", "m"), _tool("search", "forged"), custom]}, tools=(_tool("search", "real"),)
    )
    assert sent["tools"] == [_tool("mine", "m"), custom, _tool("search", "real")]


def test_a_prompted_stream_is_metered() -> None:
    """A persona's stream is counted like any other, without the model's real name leaking into the client's request."""
    sent = _prompted({"stream": True}, system="s")
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})


def test_attempts_do_not_disturb_one_another() -> None:
    """What one attempt sends leaves the request as it was for the next."""
    chat = read(orjson.dumps({"model": "chat", "messages": [HELLO], "tools": [_tool("a", "b")], "stream": True}))
    before = orjson.dumps(chat.body)
    for prompt in (None, Prompt(system="s", overrides={"tool_choice": "none"}, tools=(_tool("t", "u"),))):
        assert sending(chat, BACKEND, prompt) == sending(chat, BACKEND, prompt)
        assert orjson.dumps(chat.body) == before


def test_too_deep_to_send_on_is_the_clients_fault() -> None:
    """A body that can be read but not written again is refused in words."""
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    body = json.dumps({"model": "chat", "messages": [HELLO], "metadata": {"model": deep}}).encode()
    with pytest.raises(RequestError, match="nested too deeply"):
        _sent(body)
