"""What a provider means by an error, whatever shape it gives it."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_proxy.dialects.openai.answers import classify
from understudy_proxy.dialects.openai.passing import read_answer
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import MAX_MESSAGE, FailureKind, UpstreamFailure

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


def _classified(status: int, body: Any, headers: dict[str, str] | None = None) -> UpstreamFailure:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    failure = classify(status, headers or {}, data)
    assert failure is not None
    return failure


def _error(message: str = "m", type: str | None = None, code: Any = None, param: str | None = None) -> dict[str, Any]:  # noqa: A002
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(400, _error(type="invalid_request_error"), FailureKind.BAD_REQUEST, id="400"),
        pytest.param(413, b"", FailureKind.BAD_REQUEST, id="413"),
        pytest.param(422, {"detail": [{"loc": ["body"], "msg": "no"}]}, FailureKind.BAD_REQUEST, id="422"),
        pytest.param(418, b"", FailureKind.BAD_REQUEST, id="any other 4xx"),
        pytest.param(401, _error(code="invalid_api_key"), FailureKind.AUTHENTICATION, id="401"),
        pytest.param(403, _error(code="permission_denied"), FailureKind.AUTHENTICATION, id="403"),
        pytest.param(402, _error("Insufficient Balance"), FailureKind.QUOTA_EXCEEDED, id="402 DeepSeek"),
        pytest.param(404, _error(code="model_not_found"), FailureKind.MODEL_NOT_FOUND, id="404"),
        pytest.param(404, b"404 page not found", FailureKind.MODEL_NOT_FOUND, id="404 of a wrong base URL"),
        pytest.param(405, b"", FailureKind.MODEL_NOT_FOUND, id="405 of a wrong base URL"),
        pytest.param(408, b"", FailureKind.UPSTREAM_TIMEOUT, id="408"),
        pytest.param(409, b"", FailureKind.CONFLICT, id="409"),
        pytest.param(424, b"", FailureKind.SERVER_ERROR, id="424 Bedrock"),
        pytest.param(429, b"", FailureKind.RATE_LIMITED, id="429 without a body"),
        pytest.param(429, _error(code="rate_limit_exceeded"), FailureKind.RATE_LIMITED, id="429 rate limit"),
        pytest.param(429, _error(type="rate_limit_error", code="slow_down"), FailureKind.RATE_LIMITED, id="429 ramp"),
        pytest.param(429, _error(type="requests"), FailureKind.RATE_LIMITED, id="429 requests"),
        pytest.param(429, _error(type="insufficient_quota"), FailureKind.QUOTA_EXCEEDED, id="429 quota by type"),
        pytest.param(429, _error(code="insufficient_quota"), FailureKind.QUOTA_EXCEEDED, id="429 quota by code"),
        *(
            pytest.param(
                429, _error(type="insufficient_quota", code=code), FailureKind.QUOTA_EXCEEDED, id=f"429 {code}"
            )
            for code in (
                "credit_balance_exhausted",
                "organization_spend_limit_exceeded",
                "project_spend_limit_exceeded",
                "organization_usage_limit_exceeded",
                "enforced_spend_limit_reached",
            )
        ),
        pytest.param(
            400, _error("Your credit balance is too low to access the API"), FailureKind.QUOTA_EXCEEDED, id="400 credit"
        ),
        *(
            pytest.param(status, b"", FailureKind.SERVER_ERROR, id=f"{status}")
            for status in (500, 502, 504, 520, 521, 522, 523, 524)
        ),
        pytest.param(503, b"", FailureKind.OVERLOADED, id="503"),
        pytest.param(529, _error(type="overloaded_error"), FailureKind.OVERLOADED, id="529"),
        pytest.param(500, _error(code="server_is_overloaded"), FailureKind.OVERLOADED, id="500 overloaded"),
        pytest.param(302, b"", FailureKind.REDIRECT, id="302"),
        pytest.param(308, b"", FailureKind.REDIRECT, id="308"),
        pytest.param(101, b"", FailureKind.INVALID_RESPONSE, id="1xx"),
        pytest.param(999, b"", FailureKind.INVALID_RESPONSE, id="no status at all"),
    ],
)
def test_by_status_and_words(status: int, body: Any, kind: FailureKind) -> None:
    """Status, type and code together say what kind of failure it is."""
    assert _classified(status, body).kind is kind


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(_error(code="context_length_exceeded"), id="OpenAI, by code"),
        pytest.param(
            _error("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."),
            id="OpenAI, vLLM, by words",
        ),
        pytest.param(
            _error("the request exceeds the available context size", "exceed_context_size_error", 400), id="llama.cpp"
        ),
        pytest.param(_error("Input length exceed context limit"), id="exceed context limit"),
        pytest.param(_error("prompt is too long: 210000 tokens > 200000 maximum"), id="Anthropic behind a gateway"),
        pytest.param(
            _error("The input token count exceeds the maximum number of tokens allowed (1048576)."), id="Gemini"
        ),
        pytest.param(_error("Your input tokens exceed the configured limit"), id="OpenAI, newer"),
        pytest.param(_error("The input is longer than the model's context length"), id="others"),
        pytest.param(
            {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400},
            id="vLLM, flat",
        ),
    ],
)
@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_context_length(status: int, body: Any) -> None:
    """An input that is too long is known by its code, or else by how servers put it."""
    assert _classified(status, body).kind is FailureKind.CONTEXT_LENGTH_EXCEEDED


def test_a_long_string_is_not_a_long_context() -> None:
    """OpenAI's `string_above_max_length` is about one field; a larger window would not help."""
    error = _error(
        "Invalid 'x': string too long. This model's maximum context length is 1", code="string_above_max_length"
    )
    assert _classified(400, error).kind is FailureKind.BAD_REQUEST


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            {
                "error": {
                    "message": "The response was filtered",
                    "type": None,
                    "code": "content_filter",
                    "innererror": {"code": "ResponsibleAIPolicyViolation"},
                }
            },
            id="Azure",
        ),
        pytest.param(_error(code="content_policy_violation"), id="OpenAI"),
        pytest.param(
            _error("filtered due to the prompt triggering Azure OpenAI's content management policy"),
            id="Azure, by words",
        ),
        pytest.param(
            {"error": {"code": "bad", "message": "m", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            id="Azure, by the inner code",
        ),
    ],
)
def test_content_filter(body: Any) -> None:
    """Filtered content is told apart from a request that is wrong."""
    assert _classified(400, body).kind is FailureKind.CONTENT_FILTERED


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(
            403,
            {"error": {"code": 403, "message": "your input was flagged", "metadata": {"reasons": ["violence"]}}},
            FailureKind.CONTENT_FILTERED,
            id="OpenRouter's moderation is 403",
        ),
        pytest.param(
            403, _error("no access", code="model_not_found"), FailureKind.MODEL_NOT_FOUND, id="OpenAI's 403 for a model"
        ),
        pytest.param(
            400,
            [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}],
            FailureKind.AUTHENTICATION,
            id="Gemini's bad key is 400",
        ),
        pytest.param(
            413,
            _error("Request too large for model on tokens per minute (TPM)", "tokens", "rate_limit_exceeded"),
            FailureKind.RATE_LIMITED,
            id="Groq's token limit is 413",
        ),
        pytest.param(
            400, _error(code="model_decommissioned"), FailureKind.MODEL_NOT_FOUND, id="Groq's retired model is 400"
        ),
        pytest.param(429, _error(type="server_error"), FailureKind.RATE_LIMITED, id="a stray type changes no 429"),
        pytest.param(401, _error(type="rate_limit_error"), FailureKind.AUTHENTICATION, id="nor a 401"),
        pytest.param(400, _error(type="overloaded_error"), FailureKind.BAD_REQUEST, id="nor makes a 400 pass"),
    ],
)
def test_vendors_who_use_other_statuses(status: int, body: Any, kind: FailureKind) -> None:
    """Words win over the status where vendors are known to use another one, and nowhere else."""
    assert _classified(status, body).kind is kind


@pytest.mark.parametrize(
    ("body", "message", "type", "code", "param"),
    [
        pytest.param(_error("words", "t", "c", "p"), "words", "t", "c", "p", id="OpenAI"),
        pytest.param(
            _error("words", "BadRequestError", 400), "words", "BadRequestError", "400", None, id="code is a number"
        ),
        pytest.param({"error": "words"}, "words", None, None, None, id="a string (Ollama, old llama.cpp)"),
        pytest.param([_error("words", "t", "c")], "words", "t", "c", None, id="a list (Gemini)"),
        pytest.param(
            [{"error": {"code": 400, "message": "words", "status": "INVALID_ARGUMENT"}}],
            "words",
            "INVALID_ARGUMENT",
            "400",
            None,
            id="Google's status",
        ),
        pytest.param(
            {"object": "error", "message": "words", "type": "t", "param": None, "code": 40},
            "words",
            "t",
            "40",
            None,
            id="flat",
        ),
        pytest.param({"detail": "words"}, "words", None, None, None, id="FastAPI"),
        pytest.param(
            {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required", "type": "missing"}]},
            "body.messages.0: Field required",
            None,
            None,
            None,
            id="FastAPI, validation",
        ),
        pytest.param(
            {
                "object": "error",
                "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs"}]},
                "type": "invalid_request_error",
            },
            "body.seed: Extra inputs",
            "invalid_request_error",
            None,
            None,
            id="Mistral",
        ),
        pytest.param(
            {"success": False, "errors": [{"code": 7, "message": "words"}]}, "words", None, None, None, id="Cloudflare"
        ),
        pytest.param({"message": "words"}, "words", None, None, None, id="a bare message"),
        pytest.param("words", "words", None, None, None, id="a JSON string"),
        pytest.param(b"words", "words", None, None, None, id="plain text"),
        pytest.param(
            b"<html><head><title>502 Bad Gateway</title></head><body>...</body></html>",
            "an HTML page: 502 Bad Gateway",
            None,
            None,
            None,
            id="HTML",
        ),
        pytest.param(b"<!doctype html><p>oops", "an HTML page", None, None, None, id="HTML without a title"),
        pytest.param(b"", "HTTP 400 without a message", None, None, None, id="nothing"),
        pytest.param(b"null", "null", None, None, None, id="null"),
        pytest.param([], "[]", None, None, None, id="an empty list"),
        pytest.param({}, "HTTP 400 without a message", None, None, None, id="an empty object"),
        pytest.param({"error": {}}, "HTTP 400 without a message", None, None, None, id="an empty error"),
        pytest.param(
            {"error": {"message": 5, "type": [], "code": {}}}, "HTTP 400 without a message", None, None, None, id="odd"
        ),
        pytest.param({"error": ["words"]}, "words", None, None, None, id="a list of strings"),
        pytest.param({"error": True, "message": "words"}, "words", None, None, None, id="a flag and a message"),
    ],
)
def test_every_shape_is_read(body: Any, message: str, type: str | None, code: str | None, param: str | None) -> None:  # noqa: A002
    """Whatever shape an error comes in, its words are found."""
    failure = _classified(400, body)
    assert (failure.message, failure.type, failure.code, failure.param) == (message, type, code, param)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(_error(code="rate_limit_exceeded"), FailureKind.RATE_LIMITED, id="a rate limit"),
        pytest.param({"error": {"code": 429, "message": "m"}}, FailureKind.RATE_LIMITED, id="OpenRouter's number"),
        pytest.param({"error": {"code": 502, "message": "m"}}, FailureKind.SERVER_ERROR, id="OpenRouter's 502"),
        pytest.param({"error": {"code": "401", "message": "m"}}, FailureKind.AUTHENTICATION, id="Azure's number"),
        pytest.param(_error(type="invalid_request_error"), FailureKind.BAD_REQUEST, id="a bad request"),
        pytest.param(
            _error(type="invalid_request_error", code="context_length_exceeded"),
            FailureKind.CONTEXT_LENGTH_EXCEEDED,
            id="the code is more exact than the type",
        ),
        pytest.param(_error(type="insufficient_quota"), FailureKind.QUOTA_EXCEEDED, id="quota"),
        pytest.param({"error": "overloaded"}, FailureKind.SERVER_ERROR, id="an error of no known kind"),
        pytest.param(
            {"choices": [{"error": {"code": 502, "message": "m"}}]}, FailureKind.SERVER_ERROR, id="in a choice"
        ),
        pytest.param({"object": "error", "message": "m", "code": 404}, FailureKind.MODEL_NOT_FOUND, id="flat"),
        pytest.param({}, FailureKind.INVALID_RESPONSE, id="an empty object"),
        pytest.param({"choices": []}, FailureKind.INVALID_RESPONSE, id="no choice"),
        pytest.param({"choices": None}, FailureKind.INVALID_RESPONSE, id="null for choices"),
        pytest.param({"detail": "Not Found"}, FailureKind.INVALID_RESPONSE, id="FastAPI"),
        pytest.param([ANSWER], FailureKind.INVALID_RESPONSE, id="a list"),
        pytest.param(b"", FailureKind.INVALID_RESPONSE, id="nothing"),
        pytest.param(b"<html>", FailureKind.INVALID_RESPONSE, id="HTML"),
        pytest.param(orjson.dumps(ANSWER)[:-1], FailureKind.INVALID_RESPONSE, id="cut"),
    ],
)
def test_a_success_that_is_none(body: Any, kind: FailureKind) -> None:
    """An error in the body of a 200 is treated by its type, and a body without an answer is a failure too."""
    assert _classified(200, body).kind is kind


def test_an_answer_is_an_answer() -> None:
    """A whole answer is no failure, and its usage is read in the same go."""
    reading = read_answer(200, {}, orjson.dumps({**ANSWER, "error": None}))
    assert reading.failure is None
    assert reading.usage == Usage(input=10, output=5)


def test_waiting_comes_from_headers_and_body() -> None:
    """A failure carries the time that the provider asked for."""
    failure = _classified(429, _error(code="rate_limit_exceeded"), {"retry-after": "20"})
    assert failure.retry_after_seconds == 20.0
    google = {"error": {"code": 429, "message": "m", "details": [{"retryDelay": "34s"}]}}
    assert _classified(429, google).retry_after_seconds == 34.0


def test_messages_are_bounded_and_masked() -> None:
    """What a provider says is cut, and the keys in it are masked."""
    failure = _classified(400, _error("Incorrect API key provided: sk-abcdefgh12345678. " + "x" * 5000))
    assert len(failure.message) <= MAX_MESSAGE
    assert "sk-abc" not in failure.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "type",
                    "code",
                    "param",
                    "detail",
                    "errors",
                    "choices",
                    "innererror",
                    "object",
                    "status",
                ]
            ),
            children,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.integers(100, 999), _JSON)
def test_no_body_raises(status: int, body: Any) -> None:
    """Any JSON under any status is an answer or a failure of some kind, never an exception."""
    read_answer(status, {}, orjson.dumps(body))


@given(st.integers(100, 999), st.binary(max_size=200))
def test_no_bytes_raise(status: int, body: bytes) -> None:
    """Nor does anything that is not JSON."""
    read_answer(status, {}, body)
