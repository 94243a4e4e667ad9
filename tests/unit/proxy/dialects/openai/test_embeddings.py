"""Vectors: what OpenAI's clients ask for, in the form they ask for, whoever makes them."""

from base64 import b64encode
from struct import pack
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.runtimes import a_model, a_provider, a_runtime
from understudy_api.config import Capability
from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.embedding import Embedding, Vectors
from understudy_proxy.dialects.embedding import EmbeddingOperation
from understudy_proxy.dialects.interpretation import Reading
from understudy_proxy.dialects.openai.embeddings.client import EMBEDDINGS
from understudy_proxy.dialects.openai.embeddings.provider import EmbeddingTurn
from understudy_proxy.dialects.openai.embeddings.request import read
from understudy_proxy.dialects.openai.embeddings.vectors import packed, unpacked
from understudy_proxy.dialects.providers import PROVIDERS
from understudy_proxy.dialects.request_error import RequestError
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
OPERATION = EmbeddingOperation(EMBEDDINGS, PROVIDERS)
VECTOR = [0.5, -1.0, 0.25]
PACKED = b64encode(pack("<3f", *VECTOR)).decode()


def _candidate(kind: str = "OpenAI") -> Candidate:
    provider = a_provider("ai/p", serves={"m": a_model(upstream_name="embed-3")}, type=kind)
    return a_runtime(provider).upstreams["ai/p"].candidates["m"]


def _asked(**body: Any) -> bytes:
    return orjson.dumps({"model": "vectors", "input": "Hello"} | body)


def _answer(*vectors: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return {"object": "list", "data": data, "model": "embed-3", "usage": {"prompt_tokens": 4, "total_tokens": 4}}


def _read(asked: bytes, status: int, body: Any) -> Reading:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return OPERATION.interpret(read(asked), _candidate(), None).read_answer(status, {}, raw)


@pytest.mark.parametrize(
    ("wanted", "given", "told"),
    [
        pytest.param("base64", VECTOR, PACKED, id="numbers for base64"),
        pytest.param("float", PACKED, VECTOR, id="base64 for numbers"),
        pytest.param(None, PACKED, VECTOR, id="base64 for who says nothing"),
        pytest.param("base64", PACKED, PACKED, id="base64"),
        pytest.param("float", VECTOR, VECTOR, id="numbers"),
    ],
)
def test_the_form_is_the_one_asked_for(wanted: str | None, given: Any, told: Any) -> None:
    """Whatever form a provider gives vectors, a client gets that which it asked for."""
    reading = _read(_asked(encoding_format=wanted), 200, _answer(given))
    assert (None, Usage(4, 0)) == (reading.failure, reading.usage)
    assert _answer(told) == orjson.loads(reading.body)


def test_an_answer_in_the_asked_form_passes_as_it_is() -> None:
    """Nothing is written anew that need not be."""
    body = b'{ "data" : [{"embedding":[0.1],"index":0}], "x": 1 }'
    assert body == _read(_asked(), 200, body).body


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(200, b"<html>", FailureKind.INVALID_RESPONSE, id="HTML"),
        pytest.param(200, {"data": []}, FailureKind.INVALID_RESPONSE, id="no vectors"),
        pytest.param(200, _answer(VECTOR, VECTOR), FailureKind.INVALID_RESPONSE, id="one vector too many"),
        pytest.param(200, _answer("no base64!"), FailureKind.INVALID_RESPONSE, id="garbage"),
        pytest.param(200, _answer(b64encode(b"12345").decode()), FailureKind.INVALID_RESPONSE, id="half a number"),
        pytest.param(
            200, {"error": {"message": "slow", "code": "rate_limit_exceeded"}}, FailureKind.RATE_LIMITED, id="error"
        ),
        pytest.param(429, {"error": {"message": "slow"}}, FailureKind.RATE_LIMITED, id="429"),
    ],
)
def test_what_is_no_answer(status: int, body: Any, kind: FailureKind) -> None:
    """An error or garbage is a failure, whether passed through or understood."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    assert getattr(_read(_asked(), status, body).failure, "kind", None) is kind
    understood = EmbeddingTurn(Embedding("m", ("Hello",)), _candidate()).read(status, {}, raw)
    assert isinstance(understood, UpstreamFailure)
    assert understood.kind is kind


@pytest.mark.parametrize(
    ("body", "param"),
    [
        pytest.param({"input": None}, "input", id="nothing"),
        pytest.param({"input": []}, "input", id="an empty array"),
        pytest.param({"input": {"x": 1}}, "input", id="an object"),
        pytest.param({"input": ["x", 5]}, "input[1]", id="a number among strings"),
        pytest.param({"input": [5, "x"]}, "input[1]", id="a string among tokens"),
        pytest.param({"input": [[1], []]}, "input[1]", id="no tokens"),
        pytest.param({"encoding_format": "xml"}, "encoding_format", id="an unknown form"),
        pytest.param({"model": ""}, "model", id="no model"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    """A client that errs is told the field, by its path."""
    with pytest.raises(RequestError) as raised:
        read(_asked(**body))
    assert param == raised.value.param


def test_what_it_takes() -> None:
    """Vectors need a model that makes them, and a window for the longest text."""
    need = read(_asked(input=["x" * 400, "y" * 800])).need
    assert (frozenset({Capability.EMBEDDINGS}), 200, False) == (need.capabilities, need.input_tokens, need.stream)
    assert 3 == read(_asked(input=[[1, 2], [1, 2, 3]])).need.input_tokens


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        pytest.param("OpenAI", {"dimensions": 3, "user": "u"}, id="OpenAI"),
        pytest.param("Mistral", {"output_dimension": 3, "user": "u"}, id="Mistral"),
    ],
)
def test_passed_through(kind: str, sent: dict[str, Any]) -> None:
    """The provider gets what the client said, with its own name for the model."""
    asked = read(_asked(input=[[1, 2]], dimensions=3, user="u", encoding_format="base64"))
    call = OPERATION.interpret(asked, _candidate(kind), None).call
    assert "/embeddings" == call.path
    assert {"model": "embed-3", "input": [[1, 2]], "encoding_format": "base64"} | sent == orjson.loads(call.body)


def test_asked_by_clients_of_other_dialects() -> None:
    """A provider of this dialect makes vectors for everybody, in the order of the texts."""
    turn = EmbeddingTurn(Embedding("m", ("a", "b"), dimensions=3, user="u", extra={"taskType": "X"}), _candidate())
    assert {
        "model": "embed-3",
        "input": ["a", "b"],
        "dimensions": 3,
        "user": "u",
        "encoding_format": "base64",
    } == orjson.loads(turn.call.body)
    assert 1 == len(turn.call.warnings)
    answer = _answer(PACKED, [1, 2, 3])
    answer["data"].reverse()
    vectors = turn.read(200, {}, orjson.dumps(answer))
    assert Vectors((VECTOR, [1, 2, 3]), Usage(4, 0), "embed-3") == vectors


def test_what_clients_get_of_other_dialects() -> None:
    """Vectors of any provider are told in OpenAI's words."""
    vectors = Vectors((VECTOR, VECTOR), Usage(4, 0), None)
    told = orjson.loads(EMBEDDINGS.answer(vectors, read(_asked(encoding_format="base64"))))
    assert _answer(PACKED, PACKED) | {"model": "vectors"} == told


@unhurried
@given(st.lists(st.floats(width=32, allow_nan=False), max_size=20))
def test_packed_and_unpacked(vector: list[float]) -> None:
    """A vector survives being packed: it is what C, and so every client, makes of the bytes."""
    assert vector == unpacked(packed(vector))
    assert b64encode(pack(f"<{len(vector)}f", *vector)).decode() == packed(vector)
