"""vLLM and llama.cpp: OpenAI's format, with what each of them has of its own."""

import json
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.dialects import DIALECTS, TOGETHER, Dialect, Head, Stamp
from understudy.mock.dialects.llamacpp import LlamaCpp
from understudy.mock.dialects.vllm import Vllm
from understudy.mock.failures import scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings

VLLM = Vllm()
LLAMACPP = LlamaCpp()
STAMP = Stamp("ada", 7, 1700000000)
CALL = Call(Operation.CHAT)


def answer(dialect: Dialect, ask: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    made: dict[str, Any] = json.loads(dialect.answer(ask, reply_to(ask, name="ada", settings=Settings()), STAMP))
    return made


def streamed(dialect: Dialect, ask: Chat) -> list[str]:
    """Return the events of the answer as a stream."""
    stream = dialect.stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    return b"".join((*stream.opening, *stream.pieces, *stream.closing)).decode().split("\n\n")[:-1]


def about(dialect: Dialect, path: str) -> Any:
    """Return what the server tells at a path of its own."""
    call = dialect.find(Head("GET", path, {}))
    assert call is not None
    return json.loads(dialect.about(call, ["m"], STAMP))


@pytest.mark.parametrize(
    ("dialect", "name"),
    [pytest.param(VLLM, "reasoning", id="vLLM"), pytest.param(LLAMACPP, "reasoning_content", id="llama.cpp")],
)
def test_where_thoughts_are(dialect: Dialect, name: str) -> None:
    """Each has its own name for the field, in an answer and in a stream."""
    ask = Chat("m", said="[think: hm so] [say: Hello]")
    chunks = [
        json.loads(event.removeprefix("data: ")) for event in streamed(dialect, ask) if event.startswith("data: {")
    ]
    thought = "".join(chunk["choices"][0]["delta"].get(name, "") for chunk in chunks)
    assert ("hm so", "hm so") == (answer(dialect, ask)["choices"][0]["message"][name], thought)


@pytest.mark.parametrize(
    ("dialect", "error", "told"),
    [
        pytest.param(VLLM, "400", {"type": "BadRequestError", "code": 400, "param": None}, id="vLLM 400"),
        pytest.param(VLLM, "context", {"type": "BadRequestError", "code": 400, "param": None}, id="vLLM context"),
        pytest.param(VLLM, "404", {"type": "NotFoundError", "code": 404, "param": None}, id="vLLM 404"),
        pytest.param(VLLM, "500", {"type": "InternalServerError", "code": 500, "param": None}, id="vLLM 500"),
        pytest.param(LLAMACPP, "400", {"type": "invalid_request_error", "code": 400}, id="llama.cpp 400"),
        pytest.param(
            LLAMACPP,
            "context",
            {"type": "exceed_context_size_error", "code": 400, "n_prompt_tokens": 8193, "n_ctx": 8192},
            id="llama.cpp context",
        ),
        pytest.param(LLAMACPP, "503", {"type": "unavailable_error", "code": 503}, id="llama.cpp 503"),
    ],
)
def test_errors(dialect: Dialect, error: str, told: dict[str, Any]) -> None:
    """The code of an error is a number, and its type a word of the server's own."""
    failure = scripted(error, model="m", words=dialect.words)
    expected = {"error": {"message": failure.message, **told}}
    assert expected == json.loads(dialect.error(CALL, failure, STAMP))


def test_loading() -> None:
    """A llama.cpp server that is not ready says that it is loading."""
    assert "Loading model" == scripted("503", model="m", words=LLAMACPP.words).message


def test_a_key_that_vllm_does_not_know() -> None:
    """That one error is a text."""
    assert {"error": "Unauthorized"} == json.loads(VLLM.error(CALL, VLLM.bad_key("x"), STAMP))


def test_an_error_within_a_stream_of_vllm() -> None:
    """After the error comes the end of every stream."""
    failure = scripted("500", model="m", words=VLLM.words)
    event, done, rest = VLLM.error_event(CALL, failure, STAMP, first=False).decode().split("\n\n")
    assert ("InternalServerError", "data: [DONE]", "") == (
        json.loads(event.removeprefix("data: "))["error"]["type"],
        done,
        rest,
    )


def test_models_tell_their_context() -> None:
    """A model's entry says how much it can read, in each server's way."""
    (vllm,) = json.loads(VLLM.model_list(["m"], STAMP))["data"]
    (llamacpp,) = json.loads(LLAMACPP.model_list(["m"], STAMP))["data"]
    assert (8192, 8192) == (vllm["max_model_len"], llamacpp["meta"]["n_ctx"])
    assert (vllm, llamacpp) == (
        json.loads(VLLM.model_entry("m", STAMP)),
        json.loads(LLAMACPP.model_entry("m", STAMP)),
    )


def test_what_llamacpp_tells_of_itself() -> None:
    """Its properties and its slots agree."""
    props, slots = about(LLAMACPP, "/props"), about(LLAMACPP, "/slots")
    assert (props["total_slots"], props["default_generation_settings"]["n_ctx"]) == (len(slots), slots[0]["n_ctx"])
    assert {"vision": True, "audio": False} == props["modalities"]
    assert {"status": "ok"} == about(LLAMACPP, "/v1/health")


def test_what_vllm_tells_of_itself() -> None:
    """It has a version and a load; a ping is answered with nothing."""
    assert ({"version": "0.11.0"}, {"server_load": 0}) == (about(VLLM, "/version"), about(VLLM, "/load"))
    assert b"" == VLLM.about(Call(Operation.ABOUT, variant="ping"), ["m"], STAMP)


def test_llamacpp_keeps_a_client_awake_and_tells_its_time() -> None:
    """A stream begins with a comment; its last chunk has timings, as an answer in one piece has."""
    ask = Chat("m", said="Hi", prompt_tokens=5)
    comment, *events, done = streamed(LLAMACPP, ask)
    timings = json.loads(events[-1].removeprefix("data: "))["timings"]
    assert (":", "data: [DONE]") == (comment, done)
    assert answer(LLAMACPP, ask)["timings"] == timings
    assert (5, 9) == (timings["prompt_n"], timings["predicted_n"])


def test_llamacpp_needs_no_model() -> None:
    """It has but one, so a request need not name it."""
    assert LLAMACPP.chat(CALL, {"messages": [{"role": "user", "content": "Hi"}]}).model


@pytest.mark.parametrize("name", ["vllm", "llamacpp"])
def test_they_stand_alone(name: str) -> None:
    """Their paths are those of OpenAI, so a mock that speaks all dialects leaves them out."""
    assert (True, False) == (name in DIALECTS, name in TOGETHER)
