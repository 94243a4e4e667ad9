"""Google's format on both sides: what passes, and what of it changes."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.runtimes import a_model, a_provider, a_runtime
from understudy_api.config import Prompt
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.gemini.passing import PassedCount, PassedGenerate
from understudy_proxy.dialects.gemini.request import read
from understudy_proxy.dialects.gemini.thoughts import ESCAPE
from understudy_proxy.dialects.request_error import Unsupported
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

CASES = [yaml.safe_load(path.read_text()) | {"name": path.stem} for path in Path(__file__).parent.glob("answers/*")]
case = pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in CASES])
HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
HELLO = {"candidates": [{"content": {"parts": [{"text": "Hello"}]}}]}
STOP = {"candidates": [{"finishReason": "STOP"}]}
FOREIGN = b64encode(b"understudy.anthropic.c2ln").decode()


def _candidate(model: str = "gemini-2.5-flash", kind: str = "Gemini") -> Candidate:
    provider = a_provider("ai/google", serves={"m": a_model(upstream_name=model)}, type=kind)
    return a_runtime(provider).upstreams["ai/google"].candidates["m"]


def _passed(body: dict[str, Any], candidate: Candidate | None = None, **prompt: Any) -> PassedGenerate:
    asked = read(orjson.dumps(body), model="chat")
    return PassedGenerate(asked, candidate or _candidate(), Prompt(**prompt) if prompt else None)


def _sent(body: dict[str, Any], candidate: Candidate | None = None, **prompt: Any) -> dict[str, Any]:
    sent = orjson.loads(_passed(body, candidate, **prompt).call.body)
    assert isinstance(sent, dict)
    return sent


def test_a_request_passes_as_it_is() -> None:
    """Whatever is in it and however it is spelled; the model is in the path."""
    body = {**HI, "cached_content": "c/1", "safetySettings": [{}], "tools": [{"googleSearch": {}}], "new": [1.5, None]}
    passed = _passed(body)
    assert orjson.loads(passed.call.body) == body
    assert passed.call.path == "/models/gemini-2.5-flash:generateContent"
    assert passed.call.warnings == ()


def test_a_model_in_the_body_is_the_chosen_one() -> None:
    """No body smuggles another model, and a name with a slash stays one part of the path."""
    passed = _passed({**HI, "model": "models/other"}, _candidate("models/tuned/x"))
    assert orjson.loads(passed.call.body)["model"] == "models/tuned/x"
    assert passed.call.path == "/models/tuned%2Fx:generateContent"


def test_a_stream_is_asked_for_as_events() -> None:
    """Also for a client that wants an array."""
    asked = read(orjson.dumps(HI), model="chat", stream=True, array=True)
    assert PassedGenerate(asked, _candidate(), None).call.path.endswith(":streamGenerateContent?alt=sse")


@pytest.mark.parametrize(
    ("model", "call"),
    [
        pytest.param("gemini-2.5-flash", {"functionCall": {"name": "f"}}, id="a model that signs nothing"),
        pytest.param("gemini-3-pro", {"functionCall": {"name": "f"}, "thoughtSignature": ESCAPE}, id="one that must"),
    ],
)
def test_other_vendors_signatures_stay_here(model: str, call: dict[str, Any]) -> None:
    """Reasoning of another vendor's, which Google would refuse, does not come back to it; its own does."""
    own = {"role": "model", "parts": [{"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"}, {"text": "Hi"}]}
    foreign = [
        {"text": "Let me ", "thought": True},
        {"text": "think.", "thought": True, "thought_signature": FOREIGN},
        {"functionCall": {"name": "f"}},
    ]
    only = {"role": "model", "parts": [{"text": "", "thought": True, "thoughtSignature": FOREIGN}]}
    sent = _sent({"contents": [*HI["contents"], own, {"role": "model", "parts": foreign}, only]}, _candidate(model))
    assert sent["contents"] == [*HI["contents"], own, {"role": "model", "parts": [call]}]


def test_calls_that_nobody_signed() -> None:
    """Of a vendor that signs none, or of an older model: the first of a turn gets what stands for a signature."""
    call = {"functionCall": {"name": "f"}}
    signed = {**call, "thoughtSignature": "c2ln"}

    def model(*parts: Any) -> Any:
        return {"role": "model", "parts": list(parts)}

    told = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
    turns = [model({"text": "Hm."}, call, call), told, model(signed), model(call), told, model({"text": "Hi"}, call)]
    sent = _sent({"contents": [*HI["contents"], *turns]}, _candidate("gemini-3-pro"))
    stood = {**call, "thoughtSignature": ESCAPE}
    assert sent["contents"][1:] == [
        model({"text": "Hm."}, stood, call),
        told,
        model(signed),
        model(call),
        told,
        model({"text": "Hi"}, stood),
    ]


def test_a_persona_in_googles_words() -> None:
    """Its prompt comes first, its parameters are Google's, its tool takes the place of the client's; the rest stays."""
    body = {
        **HI,
        "system_instruction": {"parts": [{"text": "Mine."}]},
        "generation_config": {"temperature": 2, "max_output_tokens": 10, "mediaResolution": "LOW"},
        "tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}, {"googleSearch": {}}],
    }
    tool = {"type": "function", "function": {"name": "f", "description": "New."}}
    sent = _sent(
        body,
        system="First.",
        defaults={"max_tokens": 99, "top_p": 0.5},
        overrides={"temperature": 0.1, "tool_choice": "required"},
        tools=(tool,),
    )
    assert sent == {
        **HI,
        "systemInstruction": {"parts": [{"text": "First."}, {"text": "Mine."}]},
        "generationConfig": {"max_output_tokens": 10, "mediaResolution": "LOW", "temperature": 0.1, "topP": 0.5},
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "tools": [
            {"functionDeclarations": [{"name": "g"}]},
            {"googleSearch": {}},
            {"functionDeclarations": [{"name": "f", "description": "New."}]},
        ],
    }


def test_a_persona_and_the_format_of_the_client() -> None:
    """A default gives way to the format that a client asks for in either way; an override replaces it whole."""
    schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
    body = {**HI, "generationConfig": {"responseMimeType": "application/json", "responseSchema": {"type": "ARRAY"}}}
    assert _sent(body, defaults={"response_format": schema}) == body
    assert _sent(body, overrides={"response_format": schema})["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }


def test_a_persona_that_gemini_cannot_be() -> None:
    """What a persona wants and Gemini cannot do is not left out."""
    with pytest.raises(Unsupported):
        _passed(HI, overrides={"stop": list("abcdef")})


@pytest.mark.parametrize(
    ("kind", "body", "sent"),
    [
        pytest.param("Gemini", HI, HI, id="contents"),
        pytest.param(
            "Gemini",
            {"generateContentRequest": {**HI, "model": "models/chat"}},
            {"generateContentRequest": {**HI, "model": "models/gemini-2.5-flash"}},
            id="a whole request",
        ),
        pytest.param("VertexAI", {"generateContentRequest": {**HI, "model": "models/chat"}}, HI, id="on Vertex AI"),
    ],
)
def test_counting(kind: str, body: dict[str, Any], sent: dict[str, Any]) -> None:
    """A count is asked for in the way that each of Google's two APIs takes."""
    passed = PassedCount(read(orjson.dumps(body), model="chat"), _candidate(kind=kind), None)
    assert orjson.loads(passed.call.body) == sent
    assert passed.call.path == "/models/gemini-2.5-flash:countTokens"
    assert passed.read_answer(200, {}, b'{"totalTokens":3}').body == b'{"totalTokens":3}'


def _stream(*responses: Any, end: bytes = b"\r\n\r\n") -> bytes:
    return b"".join(b"data: " + orjson.dumps(one) + end for one in responses)


def _seen(*chunks: bytes, array: bool = False) -> tuple[bytes, bool, UpstreamFailure | None, Usage | None]:
    """What a client sees of a stream, whether it began and was whole, and what was counted."""
    asked = read(orjson.dumps(HI), model="chat", stream=True, array=array)
    flow = PassedGenerate(asked, _candidate(), None).flow()
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
    """Its events arrive unchanged, however they are cut; an array has the same in it; usage is read."""
    stream = _stream(*case["stream"])
    out, began, failure, usage = _seen(stream)
    assert (out, began, failure) == (stream, True, None)
    assert usage is None or usage.input == case["answer"]["usage"]["input"]
    for at in range(len(stream)):
        assert _seen(stream[:at], stream[at:])[0] == stream
    assert orjson.loads(_seen(stream, array=True)[0]) == case["stream"]
    assert _seen(_stream(*case["stream"], end=b"\n\n"))[0] == stream


@case
def test_a_cut_is_never_an_end(case: dict[str, Any]) -> None:
    """Wherever a stream stops, it is whole or a failure, and only whole events went out."""
    stream = _stream(*case["stream"])
    for end in range(len(stream)):
        out, _, failure, _ = _seen(stream[:end])
        assert failure is None or failure.kind is FailureKind.INTERRUPTED
        assert out == b"" or out.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        pytest.param(_stream({"error": {"code": 503, "message": "No."}}), FailureKind.OVERLOADED, id="an error first"),
        pytest.param(_stream({"promptFeedback": {"blockReason": "OTHER"}}), FailureKind.CONTENT_FILTERED, id="blocked"),
        pytest.param(b"data: nonsense\n\n", FailureKind.INVALID_RESPONSE, id="nonsense"),
        pytest.param(b"", FailureKind.INTERRUPTED, id="nothing"),
        pytest.param(_stream({"usageMetadata": {"promptTokenCount": 1}}), FailureKind.INTERRUPTED, id="only a count"),
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
    out, began, failure, _ = _seen(_stream(HELLO, {"error": {"code": 500, "message": "Ouch."}}, STOP))
    assert (out, began) == (_stream(HELLO), True)
    assert failure is not None
    assert failure.kind is FailureKind.SERVER_ERROR


def test_a_stream_without_an_answer_is_bounded() -> None:
    """A provider that sends one thing after the other and never an answer is given up."""
    chunk = _stream({"usageMetadata": {"trafficType": "x" * 10_000}})
    assert (failure := _seen(*[chunk] * 200)[2]) is not None
    assert failure.kind is FailureKind.INVALID_RESPONSE


def test_whole_answers() -> None:
    """An answer passes byte for byte, with its usage read; what is none does not."""
    passed = _passed(HI)
    body = b'{ "candidates": [{}], "usageMetadata": {"promptTokenCount": 4} }'
    reading = passed.read_answer(200, {}, body)
    assert (reading.body, reading.usage) == (body, Usage(input=4, output=0))
    for status, other in ((200, b"{}"), (200, b""), (503, b"")):
        assert passed.read_answer(status, {}, other).failure is not None
