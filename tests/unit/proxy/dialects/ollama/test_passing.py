"""Ollama's format on both sides: what passes, and what of it changes."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.runtimes import a_candidate, a_model
from understudy_api.config import Prompt
from understudy_proxy.dialects.ollama.passing import PassedAnswer, PassedEmbedding
from understudy_proxy.dialects.ollama.request import read_chat, read_generate
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("answers/*")]
case = pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
BACKEND = a_candidate("ai/ollama:m", a_model(upstream_name="llama3.2"))
CHAT: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}
GENERATE: dict[str, Any] = {"model": "chat", "prompt": "Hi"}
HELLO = {"model": "m", "message": {"role": "assistant", "content": "Hello"}, "done": False}
DONE = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "prompt_eval_count": 4}


def _passed(body: dict[str, Any], **prompt: Any) -> PassedAnswer:
    read = read_generate if "prompt" in body else read_chat
    return PassedAnswer(read(orjson.dumps(body)), BACKEND, Prompt(**prompt) if prompt else None)


def _sent(body: dict[str, Any], **prompt: Any) -> dict[str, Any]:
    sent = orjson.loads(_passed(body, **prompt).call.body)
    assert isinstance(sent, dict)
    return sent


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param({**CHAT, "keep_alive": -1, "options": {"num_ctx": 9}, "new": [1.5, None]}, "/api/chat", id="chat"),
        pytest.param({**GENERATE, "raw": True, "context": [1]}, "/api/generate", id="generate"),
        pytest.param({**CHAT, "messages": []}, "/api/chat", id="a request that only loads"),
    ],
)
def test_a_request_passes_as_it_is(body: dict[str, Any], path: str) -> None:
    """Whatever is in it; only the model's name changes."""
    passed = _passed(body)
    assert orjson.loads(passed.call.body) == body | {"model": "llama3.2"}
    assert (passed.call.path, passed.call.warnings) == (path, ())


def test_an_older_clients_model() -> None:
    """No body smuggles another model by its older name."""
    assert _sent({"name": "other", "messages": CHAT["messages"]}) == CHAT | {"model": "llama3.2"}


def test_a_persona_in_ollamas_words() -> None:
    """Its prompt comes first, its parameters are Ollama's, its tool takes the place of the client's; the rest stays."""
    tool = {"type": "function", "function": {"name": "f", "description": "New.", "parameters": {"type": "object"}}}
    other = {"type": "function", "function": {"name": "g"}}
    body = {
        **CHAT,
        "options": {"temperature": 2, "num_predict": 10, "num_ctx": 4096},
        "tools": [{"type": "function", "function": {"name": "f"}}, other],
    }
    sent = _sent(
        body,
        system="First.",
        defaults={"max_tokens": 99, "top_p": 0.5},
        overrides={"temperature": 0.1, "response_format": {"type": "json_object"}},
        tools=(tool,),
    )
    assert sent == {
        "model": "llama3.2",
        "messages": [{"role": "system", "content": "First."}, *CHAT["messages"]],
        "options": {"temperature": 0.1, "num_predict": 10, "num_ctx": 4096, "top_p": 0.5},
        "format": "json",
        "tools": [other, tool],
    }


def test_a_persona_of_a_completion() -> None:
    """Its prompt comes before the client's system prompt; tools it cannot have there."""
    assert _sent({**GENERATE, "system": "Mine."}, system="First.")["system"] == "First.\n\nMine."
    with pytest.raises(Unsupported):
        _passed(GENERATE, tools=({"type": "function", "function": {"name": "f"}},))


def test_a_persona_that_ollama_cannot_be() -> None:
    """What a persona wants and Ollama cannot do is not left out."""
    with pytest.raises(Unsupported):
        _passed(CHAT, overrides={"tool_choice": "required"})
    assert "tools" not in _sent({**CHAT, "tools": [{}]}, overrides={"tool_choice": "none"})


def _stream(*objects: Any) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in objects)


def _seen(*chunks: bytes) -> tuple[bytes, bool, UpstreamFailure | None, Usage | None]:
    """What a client sees of a stream, whether it began and was whole, and what was counted."""
    flow = _passed(CHAT).flow()
    out = b""
    for chunk in chunks:
        fed = flow.feed(chunk)
        assert fed.began or not fed.out
        out += fed.out
    fed = flow.close()
    assert flow.finished is (fed.failure is None)
    return out + fed.out, fed.began, fed.failure, flow.usage


@case
def test_a_stream_passes_as_it_is(case: dict[str, Any]) -> None:
    """Its lines arrive unchanged, however they are cut, and nothing after the last; usage is read."""
    stream = _stream(*case["stream"])
    out, began, failure, usage = _seen(stream)
    assert (out, began, failure) == (stream, True, None)
    assert (usage.output if usage else 0) == case["answer"].get("usage", {}).get("output", 0)
    for at in range(len(stream)):
        assert _seen(stream[:at], stream[at:])[0] == stream
    assert _seen(stream + _stream(HELLO))[0] == stream


@case
def test_a_cut_is_never_an_end(case: dict[str, Any]) -> None:
    """Wherever a stream stops before its last byte that matters, it is a failure, and only whole lines went out."""
    stream = _stream(*case["stream"])
    for end in range(len(stream) - 1):
        out, _, failure, _ = _seen(stream[:end])
        assert failure is not None
        assert failure.kind is FailureKind.INTERRUPTED
        assert out == b"" or out.endswith(b"}\n")


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        pytest.param(_stream({"error": "server busy"}), FailureKind.OVERLOADED, id="an error first"),
        pytest.param(b"nonsense\n", FailureKind.INVALID_RESPONSE, id="nonsense"),
        pytest.param(b"", FailureKind.INTERRUPTED, id="nothing"),
        pytest.param(_stream({"message": {"content": ""}}), FailureKind.INTERRUPTED, id="nothing said"),
    ],
)
def test_a_stream_that_does_not_begin(stream: bytes, kind: FailureKind) -> None:
    """Nothing goes out while another backend could still take over."""
    out, began, failure, _ = _seen(stream)
    assert (out, began) == (b"", False)
    assert failure is not None
    assert failure.kind is kind


def test_an_error_in_the_middle() -> None:
    """What was good goes out, the provider's error does not."""
    out, began, failure, _ = _seen(_stream(HELLO, {"error": "Ouch."}, DONE))
    assert (out, began) == (_stream(HELLO), True)
    assert failure is not None
    assert failure.kind is FailureKind.SERVER_ERROR


def test_a_stream_without_an_answer_is_bounded() -> None:
    """A server that sends one thing after the other and never an answer is given up."""
    chunk = _stream({"message": {"content": ""}, "x": "x" * 10_000})
    assert (failure := _seen(*[chunk] * 200)[2]) is not None
    assert failure.kind is FailureKind.INVALID_RESPONSE


def test_whole_answers() -> None:
    """An answer passes byte for byte, with its usage read; what is none does not."""
    body = b'{ "message": {"content": "Hi"}, "done": true, "prompt_eval_count": 4 }'
    reading = _passed(CHAT).read_answer(200, {}, body)
    assert (reading.body, reading.usage) == (body, Usage(input=4, output=0))
    assert _passed(GENERATE).read_answer(200, {}, b'{"response": ""}').failure is None
    for status, other in ((200, b"{}"), (200, b""), (503, b"")):
        assert _passed(CHAT).read_answer(status, {}, other).failure is not None


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        pytest.param("/api/embed", b'{"embeddings":[[1]],"prompt_eval_count":2}', id="several"),
        pytest.param("/api/embeddings", b'{"embedding":[1]}', id="the older path"),
    ],
)
def test_vectors(path: str, answer: bytes) -> None:
    """They are asked for by the path that the client took, and pass as they are."""
    asked = read_chat(orjson.dumps({**CHAT, "truncate": False}))
    passed = PassedEmbedding(asked, BACKEND, path=path)
    assert passed.call.path == path
    assert orjson.loads(passed.call.body) == {**CHAT, "truncate": False, "model": "llama3.2"}
    assert passed.read_answer(200, {}, answer).body == answer
    assert passed.read_answer(200, {}, b"{}").failure is not None
