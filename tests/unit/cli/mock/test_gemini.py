"""Gemini's wire format, as Google has it: paths, answers, streams and errors."""

import json
from base64 import b64decode
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Embeddings, Operation, Tool
from understudy.mock.dialects import Head, Stamp
from understudy.mock.dialects.gemini import Gemini, Vertex
from understudy.mock.failures import Failure, FailureKind, RefusedError, scripted
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings

GEMINI = Gemini()
VERTEX = Vertex()
STAMP = Stamp("ada", 7, 1700000000)
KEY = {"x-goog-api-key": "k"}
PROJECT = "/v1/projects/p/locations/l/publishers/google/models"
WEATHER = Tool("weather", {"type": "object", "properties": {"city": {"type": "string"}}})
TIME = Tool("time", {"type": "object"})

CHATS = [
    pytest.param({"said": "Hi"}, id="text"),
    pytest.param({"said": '"quoted" — 🙂\n'}, id="text to escape"),
    pytest.param({"said": "Hi", "choices": 3}, id="several candidates"),
    pytest.param({"said": "[call: 1, 2]", "tools": (WEATHER, TIME)}, id="two calls"),
    pytest.param({"said": "[think: hm so] [say: See] [call]", "tools": (WEATHER,)}, id="all at once"),
    pytest.param({"said": "[refuse]"}, id="a refusal"),
    pytest.param({"said": "Hi", "max_tokens": 2}, id="cut off"),
    pytest.param({"said": "[cached: 7]", "prompt_tokens": 20}, id="cached"),
]


def chat(*, model: str = "gemini-2.5-flash", variant: str = "", **asked: Any) -> Chat:
    """Return an ask."""
    return Chat(model, variant=variant, **({"prompt_tokens": 5} | asked))


def whole(ask: Chat) -> dict[str, Any]:
    """Return the answer in one piece."""
    answer: dict[str, Any] = json.loads(GEMINI.answer(ask, reply_to(ask, name="ada", settings=Settings()), STAMP))
    return answer


def streamed(ask: Chat, dialect: Gemini = GEMINI) -> bytes:
    """Return the answer as a stream."""
    stream = dialect.stream(ask, reply_to(ask, name="ada", settings=Settings()), STAMP)
    return b"".join((*stream.opening, *stream.pieces, *stream.closing))


def events(content: bytes) -> list[dict[str, Any]]:
    """Return the chunks of server-sent events, which are set apart by CRLF."""
    *found, rest = content.decode().split("\r\n\r\n")
    assert (rest, {event[:6] for event in found}) == ("", {"data: "})
    return [json.loads(event[6:]) for event in found]


def folded(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put candidates together from their chunks: texts of a kind joined, and every other part kept."""
    candidates: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for given in chunk["candidates"]:
            candidate = candidates.setdefault(given["index"], {"index": given["index"]})
            content = candidate.setdefault("content", {"parts": [], "role": "model"})
            for part in given.get("content", {"parts": []})["parts"]:
                _add(content["parts"], part)
            candidate |= {name: value for name, value in given.items() if name not in {"content", "index"}}
    return [candidates[index] for index in sorted(candidates)]


def _add(parts: list[dict[str, Any]], part: dict[str, Any]) -> None:
    if parts and "text" in part and "text" in parts[-1] and part.get("thought") == parts[-1].get("thought"):
        parts[-1] |= part | {"text": parts[-1]["text"] + part["text"]}
    elif part != {"text": ""}:
        parts.append(part)


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        pytest.param("POST", "/v1/models/g:generateContent", Call(Operation.CHAT, "g"), id="as the newest SDK has it"),
        pytest.param("POST", "/v1beta/models/g:generateContent", Call(Operation.CHAT, "g"), id="beta"),
        pytest.param(
            "POST", "/v1beta/models/g:streamGenerateContent?alt=sse", Call(Operation.CHAT, "g", "sse"), id="events"
        ),
        pytest.param(
            "POST", "/v1beta/models/g:streamGenerateContent", Call(Operation.CHAT, "g", "array"), id="an array"
        ),
        pytest.param("POST", "/v1beta/models/g:countTokens", Call(Operation.COUNT, "g"), id="count"),
        pytest.param("POST", "/v1beta/models/g:embedContent", Call(Operation.EMBEDDINGS, "g"), id="one vector"),
        pytest.param(
            "POST", "/v1beta/models/g:batchEmbedContents", Call(Operation.EMBEDDINGS, "g", "batch"), id="vectors"
        ),
        pytest.param("GET", "/v1beta/models", Call(Operation.MODELS), id="models"),
        pytest.param("GET", "/v1beta/models/a%2Fb", Call(Operation.MODEL, "a/b"), id="a model, escaped"),
        pytest.param("GET", "/v1/models/g", None, id="OpenAI's path without Google's key"),
        pytest.param("POST", "/v1beta/models/g:predict", None, id="another method"),
        pytest.param("POST", "/v1/messages", None, id="another path"),
    ],
)
def test_paths(method: str, path: str, call: Call | None) -> None:
    """The model and what it shall do are in the path, the kind of stream is in the query."""
    assert call == GEMINI.find(Head(method, path, {}))


def test_the_models_path_of_openai_with_googles_key() -> None:
    """`/v1/models` belongs to several vendors; the key tells whose it is."""
    found = (GEMINI.find(Head("GET", "/v1/models", KEY)), GEMINI.find(Head("GET", "/v1/models?key=k", {})))
    assert (Call(Operation.MODELS),) * 2 == found


@pytest.mark.parametrize(
    ("path", "call"),
    [
        pytest.param(f"{PROJECT}/g:generateContent", Call(Operation.CHAT, "g"), id="a project"),
        pytest.param(f"{PROJECT}/g:streamGenerateContent?alt=sse", Call(Operation.CHAT, "g", "sse"), id="events"),
        pytest.param(
            "/v1beta1/publishers/google/models/g:countTokens", Call(Operation.COUNT, "g"), id="without a project"
        ),
        pytest.param(f"{PROJECT}/g:predict", Call(Operation.EMBEDDINGS, "g", "predict"), id="vectors"),
        pytest.param(f"{PROJECT}/g:batchEmbedContents", None, id="vectors as elsewhere"),
        pytest.param("/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", None, id="not Google's"),
        pytest.param("/v1/models/g:generateContent", None, id="not Vertex"),
    ],
)
def test_paths_on_vertex(path: str, call: Call | None) -> None:
    """On Vertex the model ends a resource name."""
    assert call == VERTEX.find(Head("POST", path, {}))


def test_another_http_method_is_refused() -> None:
    """To generate is to POST."""
    with pytest.raises(RefusedError) as refused:
        GEMINI.find(Head("GET", "/v1/models/g:generateContent", {}))
    assert refused.value.failure.status == 405


@pytest.mark.parametrize(
    ("head", "key"),
    [
        pytest.param(Head("POST", "/", KEY), "k", id="header"),
        pytest.param(Head("POST", "/?key=q", {}), "q", id="query"),
        pytest.param(Head("POST", "/", {"authorization": "Bearer t"}), "t", id="token"),
        pytest.param(Head("POST", "/", {}), None, id="none"),
    ],
)
def test_credentials(head: Head, key: str | None) -> None:
    """The key comes in a header of its own, in the query, or as a token."""
    assert key == GEMINI.credential(head)


def test_answer() -> None:
    """An answer has a candidate with parts, and counts that leave zeros out."""
    assert whole(chat(said="Hi")) == {
        "candidates": [
            {
                "index": 0,
                "content": {
                    "parts": [{"text": 'This is ada, answering as gemini-2.5-flash. You said: "Hi"'}],
                    "role": "model",
                },
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 5,
            "candidatesTokenCount": 9,
            "totalTokenCount": 14,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "ada-7",
    }


@pytest.mark.parametrize("asked", CHATS)
@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-pro"])
def test_a_stream_says_what_the_answer_says(asked: dict[str, Any], model: str) -> None:
    """Put together, the chunks are the answer in one piece, and the last has its counts."""
    ask = chat(model=model, variant="sse thoughts", **asked)
    answer, chunks = whole(ask), events(streamed(ask))
    for candidate in answer["candidates"]:
        candidate.setdefault("content", {"parts": [], "role": "model"})
    assert (answer["candidates"], answer["usageMetadata"]) == (folded(chunks), chunks[-1]["usageMetadata"])


@pytest.mark.parametrize("asked", CHATS)
def test_an_array_holds_the_chunks_of_the_events(asked: dict[str, Any]) -> None:
    """Without alt=sse the same chunks are the elements of one JSON array."""
    as_array = json.loads(streamed(chat(variant="array", **asked)))
    assert events(streamed(chat(variant="sse", **asked))) == as_array


def test_reasons_come_with_the_last_chunk_alone() -> None:
    """Each chunk with content has no reason yet; calls come whole, one a chunk, and end with STOP like text."""
    *chunks, last = events(streamed(chat(variant="sse", said="[call: 1, 2]", tools=(WEATHER, TIME))))
    parts = [chunk["candidates"][0]["content"]["parts"] for chunk in chunks]
    weather = {"functionCall": {"name": "weather", "args": {"city": "city"}}}
    assert [[weather], [{"functionCall": {"name": "time", "args": {}}}]] == parts
    assert ([False, False], "STOP") == (
        ["finishReason" in chunk["candidates"][0] for chunk in chunks],
        last["candidates"][0]["finishReason"],
    )


def test_the_third_generation_signs_the_first_call() -> None:
    """Its calls have ids, and the first has a signature in base64; older models have neither."""
    ask: dict[str, Any] = {"said": "[call: 1, 2]", "tools": (WEATHER, TIME)}
    first, second = whole(chat(model="gemini-3-pro", **ask))["candidates"][0]["content"]["parts"]
    assert b64decode(first["thoughtSignature"], validate=True)
    assert "thoughtSignature" not in second
    assert ("call-7-0", "call-7-1") == (first["functionCall"]["id"], second["functionCall"]["id"])
    old = whole(chat(**ask))["candidates"][0]["content"]["parts"]
    assert [{"functionCall"}, {"functionCall"}] == [set(part) for part in old]


@pytest.mark.parametrize(
    ("variant", "parts"),
    [
        pytest.param(" thoughts", [("hm so", True), ("Hello", None)], id="asked for"),
        pytest.param("", [("Hello", None)], id="not asked for"),
    ],
)
def test_thoughts_are_counted_apart_and_shown_on_request(variant: str, parts: list[tuple[str, bool | None]]) -> None:
    """Thoughts cost tokens beside those of the candidate, and are seen with includeThoughts alone."""
    answer = whole(chat(said="[think: hm so] [say: Hello]", variant=variant))
    told = [(part["text"], part.get("thought")) for part in answer["candidates"][0]["content"]["parts"]]
    usage = answer["usageMetadata"]
    assert parts == told
    assert (2, 1, 8) == (usage["thoughtsTokenCount"], usage["candidatesTokenCount"], usage["totalTokenCount"])


def test_cached_tokens_are_among_those_of_the_prompt() -> None:
    """The prompt's count includes what a cache had."""
    usage = whole(chat(said="[cached: 7]", prompt_tokens=20))["usageMetadata"]
    assert (20, 7) == (usage["promptTokenCount"], usage["cachedContentTokenCount"])


@pytest.mark.parametrize(
    ("asked", "finish", "has_content"),
    [
        pytest.param({"said": "Hi", "max_tokens": 2}, "MAX_TOKENS", True, id="cut off"),
        pytest.param({"said": "[refuse]"}, "SAFETY", False, id="a refusal has no content"),
    ],
)
def test_other_ends(asked: dict[str, Any], finish: str, has_content: bool) -> None:
    """An answer that does not end by itself says why."""
    (candidate,) = whole(chat(**asked))["candidates"]
    assert (finish, has_content) == (candidate["finishReason"], "content" in candidate)


def test_a_stream_on_vertex_begins_without_candidates() -> None:
    """The first chunk tells the kind of traffic and nothing else."""
    first, *rest = events(streamed(chat(variant="sse", said="Hi"), VERTEX))
    assert ({"trafficType": "ON_DEMAND"}, False) == (first["usageMetadata"], "candidates" in first)
    assert events(streamed(chat(variant="sse", said="Hi"))) == rest


def test_vectors() -> None:
    """One vector, or a list of them."""
    one = Embeddings("g", ("a",), 2, False, 1)
    several = Embeddings("g", ("a", "b"), 2, False, 2, variant="batch")
    assert {"embedding": {"values": [0.5, 0.5]}} == json.loads(GEMINI.vectors(one, [[0.5, 0.5]]))
    expected = {"embeddings": [{"values": [1.0]}, {"values": [2.0]}]}
    assert expected == json.loads(GEMINI.vectors(several, [[1.0], [2.0]]))


def test_vectors_on_vertex() -> None:
    """Vectors are predictions there, with a count for each text."""
    call = Call(Operation.EMBEDDINGS, "g", "predict")
    ask = VERTEX.embeddings(call, {"instances": [{"content": "a b"}], "parameters": {"outputDimensionality": 2}})
    told = json.loads(VERTEX.vectors(ask, [[0.5, 0.5]]))
    (made,) = [prediction["embeddings"] for prediction in told["predictions"]]
    assert (("a b",), 2, [0.5, 0.5], 1) == (
        ask.inputs,
        ask.dimensions,
        made["values"],
        made["statistics"]["token_count"],
    )


@pytest.mark.parametrize(
    "body", [{}, {"instances": []}, {"instances": [{"content": ""}]}, {"instances": ["a"]}, {"a": 1}]
)
def test_predictions_of_nothing_are_refused(body: dict[str, Any]) -> None:
    """Each instance needs a text."""
    with pytest.raises(RefusedError):
        VERTEX.embeddings(Call(Operation.EMBEDDINGS, "g", "predict"), body)


def test_size() -> None:
    """A count is a total."""
    assert json.loads(GEMINI.size(chat(said="Hi")))["totalTokens"] == 5


def test_models() -> None:
    """A model's name begins with its collection."""
    (listed,) = json.loads(GEMINI.model_list(["g"], STAMP))["models"]
    assert listed == json.loads(GEMINI.model_entry("g", STAMP))
    assert "models/g" == listed["name"]
    assert "generateContent" in listed["supportedGenerationMethods"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param("400", "INVALID_ARGUMENT", id="400"),
        pytest.param("401", "UNAUTHENTICATED", id="401"),
        pytest.param("403", "PERMISSION_DENIED", id="403"),
        pytest.param("404", "NOT_FOUND", id="404"),
        pytest.param("429", "RESOURCE_EXHAUSTED", id="429"),
        pytest.param("500", "INTERNAL", id="500"),
        pytest.param("503", "UNAVAILABLE", id="503"),
        pytest.param("504", "DEADLINE_EXCEEDED", id="504"),
    ],
)
def test_errors(error: str, status: str) -> None:
    """An error has the number and the name of its status."""
    failure = scripted(error, model="g", words=GEMINI.words)
    told = json.loads(GEMINI.error(None, failure, STAMP))["error"]
    assert (int(error), status, failure.message) == (told["code"], told["status"], told["message"])


@pytest.mark.parametrize(
    ("retry", "delay"),
    [
        pytest.param((("retry-after", "34"),), "34s", id="seconds"),
        pytest.param((("retry-after", "1.5"),), "1.5s", id="parts of a second"),
        pytest.param((("retry-after-ms", "150"),), "0.15s", id="milliseconds"),
    ],
)
def test_when_to_come_back_is_in_the_body(retry: tuple[tuple[str, str], ...], delay: str) -> None:
    """Google says it in a detail, and in no header."""
    failure = Failure(FailureKind.RATE_LIMIT, 429, "Slow down.", retry=retry)
    details = json.loads(GEMINI.error(None, failure, STAMP))["error"]["details"]
    told = {detail["@type"].rpartition(".")[2]: detail for detail in details}
    assert (delay, {}) == (told["RetryInfo"]["retryDelay"], GEMINI.error_headers(failure))
    assert "PerMinute" in told["QuotaFailure"]["violations"][0]["quotaId"]


def test_a_blocked_prompt_is_no_error() -> None:
    """Under status 200 content that is not allowed has no candidates, and feedback instead."""
    failure, call = scripted("filter", model="g"), Call(Operation.CHAT, "g", "sse")
    (event,) = events(GEMINI.error_event(call, failure, STAMP, first=True))
    expected = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "g", "responseId": "ada-7"}
    assert (expected, expected) == (event, json.loads(GEMINI.error_within(call, failure, STAMP)))


@pytest.mark.parametrize(
    ("dialect", "given", "status", "reason"),
    [
        pytest.param(GEMINI, "wrong", 400, "API_KEY_INVALID", id="a wrong key is a bad request"),
        pytest.param(GEMINI, None, 403, None, id="no key"),
        pytest.param(VERTEX, "wrong", 401, None, id="a wrong token"),
    ],
)
def test_bad_keys(dialect: Gemini, given: str | None, status: int, reason: str | None) -> None:
    """Who may not come in is told so as Google tells it."""
    failure = dialect.bad_key(given)
    (detail,) = json.loads(dialect.error(None, failure, STAMP))["error"].get("details", [{}])
    assert (status, reason) == (failure.status, detail.get("reason"))


@pytest.mark.parametrize(
    ("variant", "first", "framed"),
    [
        pytest.param("sse", True, b"data: {}\r\n\r\n", id="event"),
        pytest.param("array", True, b"[{}]", id="the only element"),
        pytest.param("array", False, b",\r\n{}]", id="the last element"),
    ],
)
def test_an_event_of_its_own(variant: str, first: bool, framed: bytes) -> None:
    """What a script puts into a stream fits into its framing."""
    assert framed == GEMINI.event(Call(Operation.CHAT, "g", variant), b"{}", first=first)
