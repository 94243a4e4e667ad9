"""Requests of OpenAI's clients, what they mean, and how each kind of provider of that dialect gets them.

`requests/` holds one file a case: the client's `request`, the `chat` that it is, and what is `sent` by type of
provider, with the warnings that the client gets, if any.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.conversations import plain_chat
from harness.runtimes import EVERYTHING, a_model, a_provider, a_runtime
from understudy_api.config import Capability
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.openai.client import CLIENT
from understudy_proxy.dialects.openai.provider import PROVIDER
from understudy_proxy.dialects.openai.request import read
from understudy_proxy.dialects.request_error import RequestError, Unsupported

CASES = [
    yaml.safe_load(path.read_text()) | {"name": path.stem}
    for path in sorted((Path(__file__).parent / "requests").glob("*.yaml"))
]
USER = {"role": "user", "content": "Hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _candidate(kind: str, model: str = "gpt-4.1", *, reasons: bool = True) -> Candidate:
    able = EVERYTHING if reasons else EVERYTHING - {Capability.REASONING}
    provider = a_provider("ai/p", serves={"m": a_model(upstream_name=model, capabilities=able)}, type=kind)
    return a_runtime(provider).upstreams["ai/p"].candidates["m"]


def _chat(**body: Any) -> Chat:
    return CLIENT.chat(read(orjson.dumps({"model": "chat", "messages": [USER]} | body)))


def _sent(chat: Chat, candidate: Candidate) -> dict[str, Any]:
    call = PROVIDER.chat(chat, candidate).call
    body = orjson.loads(call.body)
    warnings = {"warnings": list(call.warnings)} if call.warnings else {}
    return {name: value for name, value in body.items() if name != "model"} | warnings


@pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
def test_what_a_request_means(case: dict[str, Any]) -> None:
    """A request says what its file says."""
    assert case["chat"] == plain_chat(_chat(**case["request"]))


@pytest.mark.parametrize(
    ("case", "kind"), [pytest.param(one, kind, id=f"{one['name']}-{kind}") for one in CASES for kind in one["sent"]]
)
def test_what_a_provider_gets(case: dict[str, Any], kind: str) -> None:
    """Each kind of provider gets it in the words that it takes, and the client hears of what was left out."""
    name, _, model = kind.partition(" ")
    assert case["sent"][kind] == _sent(_chat(**case["request"]), _candidate(name, model or "gpt-4.1"))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role", id="unknown role"),
        pytest.param({"messages": [{"role": "user"}]}, "messages[0].content", id="no content"),
        pytest.param({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", id="content a number"),
        pytest.param({"messages": [{"role": "system", "content": "x"}]}, "messages", id="nothing but a prompt"),
        pytest.param(
            {"messages": [USER, {"role": "tool", "content": "x"}]}, "messages[1].tool_call_id", id="result of nothing"
        ),
        pytest.param(
            {"messages": [USER, {"role": "tool", "tool_call_id": "call_9", "content": "x"}]},
            "messages[1].tool_call_id",
            id="result of a call that was never made",
        ),
        pytest.param(
            {"messages": [USER, {"role": "assistant", "tool_calls": [CALL | {"id": None}]}]},
            "messages[1].tool_calls[0].id",
            id="call without id",
        ),
        pytest.param(
            {"messages": [USER, {"role": "assistant", "tool_calls": ["x"]}]},
            "messages[1].tool_calls[0]",
            id="call a string",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text", id="no text"
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "ftp://x"}]}]},
            "messages[0].content[0].image_url.url",
            id="picture by ftp",
        ),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,x"}}]}
                ]
            },
            "messages[0].content[0].image_url.url",
            id="picture not in base64",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url",
            id="no picture",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "data:a b;base64,AA"}]}]},
            "messages[0].content[0].image_url.url",
            id="picture of no media type",
        ),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "?"}}]}
                ]
            },
            "messages[0].content[0].input_audio.format",
            id="sound in no format",
        ),
        pytest.param(
            {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": "https://x"}]}, USER]},
            "messages[0].content",
            id="picture in a prompt",
        ),
        pytest.param({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type", id="no type"),
        pytest.param({"temperature": "hot"}, "temperature", id="temperature a string"),
        pytest.param({"n": 0}, "n", id="no answers"),
        pytest.param({"stop": [5]}, "stop[0]", id="stop a number"),
        pytest.param({"tool_choice": "maybe"}, "tool_choice", id="unknown choice"),
        pytest.param({"tools": [{"type": "function"}]}, "tools[0].function", id="tool without function"),
        pytest.param({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", id="nameless tool"),
        pytest.param({"logit_bias": {"5": "x"}}, "logit_bias.5", id="bias a string"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    """A client that errs is told the field, by its path."""
    with pytest.raises(RequestError) as raised:
        _chat(**body)
    assert param == raised.value.param
    assert raised.value.status == 400
    assert param in raised.value.message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, id="custom tool"),
        pytest.param({"tool_choice": {"type": "custom", "custom": {"name": "x"}}}, id="choice of a custom tool"),
        pytest.param({"modalities": ["text", "audio"], "audio": {"voice": "alloy"}}, id="sound out"),
        pytest.param({"web_search_options": {}}, id="search of the web"),
        pytest.param({"messages": [{"role": "user", "content": [{"type": "video_url"}]}]}, id="video"),
        pytest.param(
            {"messages": [USER, {"role": "assistant", "content": [{"type": "image_url"}]}]},
            id="a picture of the model's",
        ),
        pytest.param(
            {"messages": [USER, {"role": "assistant", "thinking_blocks": [{"type": "dream"}]}]},
            id="a block that is new",
        ),
        pytest.param({"reasoning_effort": "huge"}, id="an effort that is new"),
        pytest.param({"response_format": {"type": "grammar"}}, id="a format that is new"),
        pytest.param({"tools": [{"type": "web_search"}]}, id="a tool of a new type"),
        pytest.param({"tool_choice": {"type": "mcp"}}, id="a choice of a new type"),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]}, id="file id"
        ),
        pytest.param({"messages": [USER, {"role": "assistant", "audio": {"id": "audio_1"}}]}, id="sound by its id"),
        pytest.param(
            {
                "messages": [
                    USER,
                    {"role": "assistant", "tool_calls": [CALL]},
                    {
                        "role": "tool",
                        "tool_call_id": "call_1",
                        "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}],
                    },
                ]
            },
            id="sound that a tool returned",
        ),
        pytest.param(
            {"messages": [USER, {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}]}, id="custom call"
        ),
    ],
)
def test_what_nobody_else_can_say(body: dict[str, Any]) -> None:
    """What changes the answer and has no place in the canonical form is never dropped: another backend is asked."""
    with pytest.raises(Unsupported) as raised:
        _chat(**body)
    assert raised.value.param


@pytest.mark.parametrize(
    ("body", "kind", "param"),
    [
        pytest.param({"n": 2}, "Groq", "n", id="several answers of Groq"),
        pytest.param({"logprobs": True}, "Mistral", "logprobs", id="logprobs of Mistral"),
        pytest.param({"logprobs": True}, "OpenAI o3", "logprobs", id="logprobs of a model that reasons"),
        pytest.param({"stop": ["x"]}, "OpenAI gpt-5", "stop", id="stop of a model that reasons"),
        pytest.param({"stop": list("abcde")}, "OpenAI", "stop", id="too many stops"),
        pytest.param(
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}}],
                    }
                ]
            },
            "VLLM",
            "messages",
            id="PDF to vLLM",
        ),
        pytest.param(
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "ogg"}}],
                    }
                ]
            },
            "OpenAI",
            "messages",
            id="sound in a format that OpenAI lacks",
        ),
    ],
)
def test_what_a_provider_cannot_be_told(body: dict[str, Any], kind: str, param: str) -> None:
    """What would change the answer and a provider has no word for is refused before it is asked."""
    name, _, model = kind.partition(" ")
    with pytest.raises(Unsupported) as raised:
        _sent(_chat(**body), _candidate(name, model or "gpt-4.1"))
    assert param == raised.value.param


@pytest.mark.parametrize(
    ("kind", "effort", "said"),
    [
        pytest.param("OpenAI o3", "minimal", {"reasoning_effort": "low"}, id="o3 has no minimal"),
        pytest.param("OpenAI gpt-5", "none", {"reasoning_effort": "minimal"}, id="gpt-5 cannot not think"),
        pytest.param("OpenAI gpt-5.1", "none", {"reasoning_effort": "none"}, id="gpt-5.1 can"),
        pytest.param("AzureOpenAI gpt-5.2-pro", "xhigh", {"reasoning_effort": "xhigh"}, id="xhigh"),
        pytest.param("OpenAI gpt-4.1", "high", {}, id="a model that does not think"),
        pytest.param("OpenAI gpt-5-chat-latest", "high", {}, id="a chat model that does not think"),
        pytest.param("OpenRouter qwen/qwen3", "none", {"reasoning": {"enabled": False}}, id="OpenRouter, off"),
        pytest.param("OpenRouter qwen/qwen3", "max", {"reasoning": {"effort": "high"}}, id="OpenRouter"),
        pytest.param("DeepSeek deepseek-chat", "none", {"thinking": {"type": "disabled"}}, id="DeepSeek, off"),
        pytest.param("DeepSeek deepseek-chat", "low", {"thinking": {"type": "enabled"}}, id="DeepSeek, on"),
    ],
)
def test_efforts(kind: str, effort: str, said: dict[str, Any]) -> None:
    """An effort reaches a model in the nearest word that it takes, and a model that takes none is not told."""
    name, _, model = kind.partition(" ")
    sent = _sent(_chat(reasoning_effort=effort), _candidate(name, model, reasons=False))
    words = {"reasoning_effort", "reasoning", "thinking"}
    assert said == {key: value for key, value in sent.items() if key in words}
    assert bool(said) is ("warnings" not in sent)
