"""OpenAI's older completions: passed on to who has them, asked as a chat of everybody else."""

from typing import Any

import orjson
import pytest

from harness.conversations import plain_chat
from harness.runtimes import a_model, a_provider, a_runtime
from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.content import Text, Thinking
from understudy_proxy.dialects.canonical.events import (
    Began,
    Counted,
    Ended,
    Event,
    Finished,
    KeptAlive,
    TextDelta,
    ThinkingDelta,
)
from understudy_proxy.dialects.openai.completions.client import COMPLETIONS
from understudy_proxy.dialects.openai.completions.request import CompletionRequest, read
from understudy_proxy.dialects.openai.completions.texts import TextEncoder
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.dialects.translation import ChatOperation
from understudy_proxy.dialects.usage import Usage

OPERATION = ChatOperation(COMPLETIONS, PROVIDERS)


def _candidate(kind: str = "VLLM") -> Candidate:
    provider = a_provider("ai/p", serves={"m": a_model(upstream_name="real")}, type=kind)
    return a_runtime(provider).upstreams["ai/p"].candidates["m"]


def _asked(**body: Any) -> CompletionRequest:
    return read(orjson.dumps({"model": "text", "prompt": "Once"} | body))


def _chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    return b"data: " + orjson.dumps({"id": "c", "object": "text_completion", "choices": [choice]}) + b"\n\n"


def test_passed_through() -> None:
    """A provider that has completions gets the client's body, and is asked to count."""
    body = {"prompt": [[1, 2]], "echo": True, "suffix": "x", "stream": True}
    call = OPERATION.interpret(_asked(**body), _candidate(), None).call
    assert "/completions" == call.path
    assert body | {"model": "real", "stream_options": {"include_usage": True}} == orjson.loads(call.body)


def test_a_stream_passes_through() -> None:
    """An answer has begun with its first words, goes out as it came, and is over with its end."""
    flow = OPERATION.interpret(_asked(stream=True), _candidate(), None).flow()
    assert not flow.feed(_chunk("")).began
    fed = flow.feed(_chunk(" upon"))
    assert fed.began
    assert _chunk("") + _chunk(" upon") == fed.out
    assert b"finish_reason" in flow.feed(_chunk("", "stop")).out
    assert b"data: [DONE]\n\n" == flow.feed(b"data: [DONE]\n\n").out
    assert flow.finished


def test_as_a_chat() -> None:
    """Elsewhere the text is what a user says."""
    asked = _asked(prompt=["Once"], max_tokens=5, stop=".", best_of=1, echo=False, logprobs=None, mirostat=1)
    assert {
        "model": "text",
        "messages": [{"user": ["Once"]}],
        "max_tokens": 5,
        "sampling": {"stop": ["."]},
        "extra": {"mirostat": 1},
    } == plain_chat(COMPLETIONS.chat(asked))


def test_a_persona_makes_it_a_chat() -> None:
    """A persona has a prompt, which only a chat can say."""
    interpretation = OPERATION.interpret(_asked(), _candidate(), Prompt(system="Be brief."))
    assert "/chat/completions" == interpretation.call.path
    answer = orjson.dumps({"choices": [{"message": {"content": "Yes"}, "finish_reason": "stop"}]})
    told = orjson.loads(interpretation.read_answer(200, {}, answer).body)
    assert ("text_completion", "Yes") == (told["object"], told["choices"][0]["text"])


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"prompt": ["a", "b"]}, "prompt", id="several prompts"),
        pytest.param({"prompt": [1, 2]}, "prompt", id="tokens"),
        pytest.param({"echo": True}, "echo", id="echo"),
        pytest.param({"suffix": "x"}, "suffix", id="suffix"),
        pytest.param({"best_of": 2}, "best_of", id="best of two"),
        pytest.param({"logprobs": 0}, "logprobs", id="logprobs"),
    ],
)
def test_what_a_chat_cannot_say(body: dict[str, Any], param: str) -> None:
    """What only completions have is not dropped: another backend is asked."""
    with pytest.raises(Unsupported) as raised:
        COMPLETIONS.chat(_asked(**body))
    assert param == raised.value.param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"prompt": None}, "prompt", id="no prompt"),
        pytest.param({"prompt": []}, "prompt", id="no prompts"),
        pytest.param({"prompt": 5}, "prompt", id="a number"),
        pytest.param({"model": None}, "model", id="no model"),
        pytest.param({"stream": "yes"}, "stream", id="stream a string"),
        pytest.param({"n": 0}, "n", id="no answers"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    """A client that errs is told the field."""
    with pytest.raises(RequestError) as raised:
        _asked(**body)
    assert param == raised.value.param


@pytest.mark.parametrize(
    ("body", "choices"),
    [
        pytest.param({}, 1, id="one"),
        pytest.param({"prompt": ["a", "b"], "n": 3}, 6, id="each prompt n times"),
        pytest.param({"prompt": [1, 2, 3]}, 1, id="tokens of one prompt"),
        pytest.param({"prompt": [[1], [2]]}, 2, id="tokens of two"),
    ],
)
def test_how_many_texts_come_back(body: dict[str, Any], choices: int) -> None:
    """Each prompt has its answers."""
    assert choices == _asked(**body).choices


def test_told_whole() -> None:
    """An answer is told as text; reasoning has no place in it."""
    choice = Choice((Thinking("hm"), Text(" upon"), Text(" a")), Finish.LENGTH)
    told = orjson.loads(COMPLETIONS.answer(Answer((choice,), Usage(2, 3)), _asked()))
    assert ("text_completion", "text") == (told["object"], told["model"])
    assert [{"text": " upon a", "index": 0, "logprobs": None, "finish_reason": "length"}] == told["choices"]
    assert 5 == told["usage"]["total_tokens"]


def test_told_in_chunks() -> None:
    """A stream is told in chunks of text, with usage only for who asked for it."""
    events: list[Event] = [
        Began("c", "real"),
        ThinkingDelta("hm"),
        TextDelta(" upon"),
        KeptAlive(),
        Finished(Finish.STOP),
        Counted(Usage(2, 3)),
        Ended(),
    ]
    head = '"id":"c","object":"text_completion","created":7,"model":"real","system_fingerprint":null,'
    assert (
        f'data: {{{head}"choices":[{{"text":" upon","index":0,"logprobs":null,"finish_reason":null}}]}}\n\n'
        ": keep-alive\n\n"
        f'data: {{{head}"choices":[{{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}}]}}\n\n'
        "data: [DONE]\n\n"
    ) == TextEncoder(model="text", include_usage=False, now=lambda: 7.5).encode(events).decode()
    counted = TextEncoder(model="text", include_usage=True).encode(events)
    assert 2 == counted.count(b'"usage":null')
    assert b'"choices":[],"usage":{"prompt_tokens":2,' in counted
