"""Reading Gemini's requests: what is understood, and what Google would refuse."""

from base64 import b64encode
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Media, MediaKind, Operation, Tool
from understudy.mock.dialects.gemini import Gemini
from understudy.mock.dialects.gemini.order import signed
from understudy.mock.failures import RefusedError

GEMINI = Gemini()
HI = {"role": "user", "parts": [{"text": "Hi"}]}
PNG = b64encode(b"\x89PNG").decode()
WEATHER = {
    "name": "weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
WEATHER_TOOL = Tool("weather", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
TIME = {"name": "time", "parametersJsonSchema": {"type": "object", "additionalProperties": False}}
TOOLS = [{"functionDeclarations": [WEATHER, TIME]}]
ESCAPE = "skip_thought_signature_validator"


def call_part(name: str = "weather", **fields: Any) -> dict[str, Any]:
    """Return a part that calls a function."""
    return {"functionCall": {"name": name, "args": {"city": "Oslo"}}, **fields}


def result_part(name: str = "weather", **response: Any) -> dict[str, Any]:
    """Return a part with what a function returned."""
    return {"functionResponse": {"name": name, "response": response or {"output": "rain"}}}


def turns(*parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return turns of the user and the model, one after the other."""
    return [{"role": ("user", "model")[place % 2], "parts": each} for place, each in enumerate(parts)]


def read(*, model: str = "gemini-2.5-flash", variant: str = "", **body: Any) -> Chat:
    """Read a request to generate."""
    return GEMINI.chat(Call(Operation.CHAT, model, variant), {"contents": [HI], **body})


def refusal(**body: Any) -> str:
    """Return why a request to generate is refused."""
    with pytest.raises(RefusedError) as refused:
        read(**body)
    assert refused.value.failure.status == 400
    return refused.value.failure.message


def test_what_is_said() -> None:
    """The last text of the user counts, over several parts."""
    contents = turns([{"text": "one"}], [{"text": "two"}], [{"text": "three"}, {"text": "four"}])
    assert "three\nfour" == read(contents=contents).said


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"maxOutputTokens": 9, "candidateCount": 2, "stopSequences": ["E"]}, id="camelCase"),
        pytest.param({"max_output_tokens": 9, "candidate_count": 2, "stop_sequences": ["E"]}, id="snake_case"),
        pytest.param({"maxOutputTokens": "9", "candidate_count": 2.0, "stopSequences": ["E"]}, id="as protobuf has it"),
    ],
)
def test_names_in_both_cases(config: dict[str, Any]) -> None:
    """Fields may be written in either case, and mixed."""
    ask = read(generation_config=config)
    assert (9, 2, ("E",)) == (ask.max_tokens, ask.choices, ask.stop)


def test_a_null_is_an_absent_field() -> None:
    """An explicit null means nothing."""
    assert read() == read(tools=None, generationConfig={"temperature": None}, systemInstruction=None)


@pytest.mark.parametrize(
    ("config", "allowed", "forced"),
    [
        pytest.param({}, ["weather", "time"], [], id="as the model likes"),
        pytest.param({"mode": "ANY"}, ["weather", "time"], ["weather"], id="any"),
        pytest.param({"mode": "ANY", "allowedFunctionNames": ["time"]}, ["time"], ["time"], id="a certain one"),
        pytest.param({"mode": "NONE"}, [], [], id="none"),
        pytest.param({"mode": "validated", "allowed_function_names": ["time"]}, ["time"], [], id="validated"),
    ],
)
def test_tools(config: dict[str, Any], allowed: list[str], forced: list[str]) -> None:
    """What may be called, and what has to be."""
    ask = read(tools=TOOLS, toolConfig={"functionCallingConfig": config})
    assert (allowed, forced) == ([tool.name for tool in ask.tools], [tool.name for tool in ask.calls])


def test_a_tool_is_read_from_either_kind_of_schema() -> None:
    """OpenAPI's upper-case types become those of JSON Schema, and a JSON Schema stays as it is."""
    assert (WEATHER_TOOL, Tool("time", TIME["parametersJsonSchema"])) == read(tools=TOOLS).tools  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "schema"),
    [
        pytest.param({}, None, id="text"),
        pytest.param({"responseMimeType": "application/json"}, {}, id="any JSON"),
        pytest.param(
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "array"}},
            {"type": "array"},
            id="a JSON Schema",
        ),
        pytest.param(
            {"responseMimeType": "application/json", "responseSchema": {"type": "INTEGER", "minimum": 3}},
            {"type": "integer", "minimum": 3},
            id="OpenAPI",
        ),
    ],
)
def test_wanted_formats(config: dict[str, Any], schema: Any) -> None:
    """JSON is asked for by its media type, with or without a schema."""
    assert schema == read(generationConfig=config).schema


def test_media_are_noticed() -> None:
    """Images and the like are counted, with their types."""
    parts = [
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
        {"inline_data": {"mime_type": "audio/wav", "data": PNG}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/a.pdf"}},
    ]
    expected = (
        Media(MediaKind.IMAGE, "image/png"),
        Media(MediaKind.AUDIO, "audio/wav"),
        Media(MediaKind.DOCUMENT, "application/pdf"),
    )
    assert expected == read(contents=turns(parts)).media


def test_results_of_functions_are_read() -> None:
    """Several results are told in their order: an output as it is, anything else as JSON."""
    contents = turns(
        [{"text": "Hi"}],
        [call_part(), call_part("time")],
        [result_part(output="rain"), result_part("time", hour=9)],
    )
    ask = read(contents=contents)
    assert ('rain, {"hour":9}', "Hi") == (ask.tool_result, ask.said)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(signed("weather"), id="its own"),
        pytest.param(signed("weather").replace("+", "-").replace("/", "_").rstrip("="), id="its own, URL-safe"),
        pytest.param(b64encode(ESCAPE.encode()).decode(), id="the escape"),
        pytest.param(ESCAPE, id="the escape as it is"),
    ],
)
def test_signatures_that_are_taken_back(signature: str) -> None:
    """A call of the third generation comes back with the signature it had, or with what stands for none."""
    parts = [call_part(thoughtSignature=signature), call_part("time")]
    contents = turns([{"text": "Hi"}], parts, [result_part(), result_part("time")])
    assert read(model="gemini-3-pro", contents=contents).tool_result == "rain, rain"


@pytest.mark.parametrize(
    ("model", "parts", "why"),
    [
        pytest.param("gemini-3-pro", [call_part()], "missing a thought_signature", id="none"),
        pytest.param(
            "gemini-3-pro", [call_part(thoughtSignature=PNG)], "Thought signature is not valid", id="another vendor's"
        ),
        pytest.param(
            "gemini-2.5-flash", [call_part(thoughtSignature=PNG)], "Thought signature is not valid", id="older model"
        ),
        pytest.param(
            "gemini-3-pro",
            [call_part(thoughtSignature=signed("time"))],
            "Thought signature is not valid",
            id="of another call",
        ),
    ],
)
def test_signatures_that_are_refused(model: str, parts: list[dict[str, Any]], why: str) -> None:
    """A call without its signature, or with a made-up one, is refused."""
    assert why in refusal(model=model, contents=turns([{"text": "Hi"}], parts, [result_part()]))


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        pytest.param([], "contents is not specified", id="nothing"),
        pytest.param([{"role": "assistant", "parts": [{"text": "Hi"}]}], "valid role", id="OpenAI's role"),
        pytest.param([{"role": "model", "parts": [{"text": "Hi"}]}], "begin with a user turn", id="the model first"),
        pytest.param([HI, HI], "alternate", id="one role twice"),
        pytest.param([{"role": "user", "parts": []}], "must not be empty", id="no parts"),
        pytest.param([{"role": "user", "parts": [{}]}], "required oneof field", id="an empty part"),
        pytest.param(
            [{"role": "user", "parts": [{"text": "a", "inlineData": {}}]}], "required oneof field", id="two in one"
        ),
        pytest.param([{"role": "user", "content": "Hi"}], 'Unknown name "content"', id="OpenAI's content"),
        pytest.param(turns([result_part()]), "immediately after a function call turn", id="a result of nothing"),
        pytest.param(
            turns([{"text": "a"}], [call_part(), call_part("time")], [result_part()]),
            "number of function response parts",
            id="too few results",
        ),
        pytest.param(
            turns([{"text": "a"}], [call_part()], [{"text": "b"}]), "number of function response parts", id="no result"
        ),
        pytest.param(
            turns([{"text": "a"}], [call_part()], [result_part("time")]), "names of the functions", id="another name"
        ),
        pytest.param(
            turns([{"text": "a"}], [call_part()], [{"functionResponse": {"name": "weather", "response": "rain"}}]),
            "TYPE_STRUCT",
            id="a result that is no object",
        ),
        pytest.param(
            turns([{"text": "a"}], [{"functionCall": {"name": "weather", "args": "{}"}}], [result_part()]),
            "TYPE_STRUCT",
            id="arguments as text",
        ),
        pytest.param(
            turns([{"inlineData": {"mimeType": "image/png", "data": "?"}}]), "Base64 decoding failed", id="no base64"
        ),
        pytest.param(turns([{"inlineData": {"data": PNG}}]), "mime_type", id="no media type"),
    ],
)
def test_conversations_that_are_refused(contents: list[Any], why: str) -> None:
    """Turns that Google would not take are refused in its words."""
    assert why in refusal(contents=contents)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param({"messages": []}, 'Unknown name "messages": Cannot find field', id="OpenAI's field"),
        pytest.param({"max_tokens": 3}, 'Unknown name "max_tokens"', id="a field in the wrong place"),
        pytest.param(
            {"generationConfig": {"n": 1}}, "Unknown name \"n\" at 'generation_config'", id="a field that is not"
        ),
        pytest.param({"generationConfig": {"topK": 1, "top_k": 1}}, "given twice", id="both cases"),
        pytest.param({"generationConfig": []}, "JSON object", id="a list for a message"),
        pytest.param({"generationConfig": {"temperature": "hot"}}, "TYPE_FLOAT", id="a text for a number"),
        pytest.param({"generationConfig": {"temperature": 3}}, "from 0 to 2", id="too hot"),
        pytest.param({"generationConfig": {"seed": 2**40}}, "generation_config.seed", id="a long seed"),
        pytest.param({"generationConfig": {"stopSequences": list("abcdef")}}, "at most 5", id="too many stops"),
        pytest.param({"generationConfig": {"logprobs": 2}}, "response_logprobs", id="logprobs alone"),
        pytest.param(
            {"generationConfig": {"thinkingConfig": {"thinkingBudget": 9, "thinkingLevel": "LOW"}}},
            "only set only one",
            id="budget and level",
        ),
        pytest.param(
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MAX"}}}, "thinking_level", id="no such level"
        ),
        pytest.param(
            {"generationConfig": {"responseSchema": {"type": "STRING"}}}, "application/json", id="a schema for text"
        ),
        pytest.param({"generationConfig": {"responseMimeType": "text/html"}}, "allowed mimetypes", id="HTML"),
        pytest.param({"systemInstruction": "Be nice"}, "JSON object", id="system as text"),
    ],
)
def test_bodies_that_are_refused(body: dict[str, Any], why: str) -> None:
    """A field that is not there, or is of another type, is named."""
    assert why in refusal(**body)


def test_the_body_may_repeat_the_model_and_name_no_other() -> None:
    """The model is in the URL."""
    call = Call(Operation.CHAT, "g")
    assert "g" == GEMINI.chat(call, {"model": "models/g", "contents": [HI]}).model
    with pytest.raises(RefusedError, match="that of the URL"):
        GEMINI.chat(call, {"model": "models/other", "contents": [HI]})


@pytest.mark.parametrize(
    ("function", "why"),
    [
        pytest.param({"name": "no spaces"}, "Invalid function name", id="a name with a space"),
        pytest.param({"name": "f" * 65}, "Invalid function name", id="a long name"),
        pytest.param({"type": "function", "function": {}}, 'Unknown name "type"', id="OpenAI's tool"),
        pytest.param({**WEATHER, "parametersJsonSchema": {}}, "only one of", id="two schemas"),
        pytest.param(
            {"name": "f", "parameters": {"type": "OBJECT", "properties": {}}}, "should be non-empty", id="no properties"
        ),
        pytest.param(
            {
                "name": "f",
                "parameters": {
                    "type": "OBJECT",
                    "properties": {"a": {"type": "STRING"}},
                    "additionalProperties": False,
                },
            },
            'Unknown name "additionalProperties"',
            id="additionalProperties",
        ),
        pytest.param(
            {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"$ref": "#/$defs/a"}}}},
            'Unknown name "$ref"',
            id="a reference",
        ),
        pytest.param(
            {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"const": 1}}}}, '"const"', id="const"
        ),
        pytest.param(
            {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": ["string", "null"]}}}},
            "cannot start list",
            id="a list of types",
        ),
        pytest.param(
            {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, "required": ["b"]}},
            "property is not defined",
            id="required, but not there",
        ),
        pytest.param(
            {
                "name": "f",
                "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "format": "email"}}},
            },
            "only 'enum' and 'date-time'",
            id="a format",
        ),
    ],
)
def test_functions_that_are_refused(function: dict[str, Any], why: str) -> None:
    """A schema that is no OpenAPI is refused by the name of what it should not have."""
    assert why in refusal(tools=[{"functionDeclarations": [function]}])


@pytest.mark.parametrize(
    ("config", "why"),
    [
        pytest.param({"mode": "REQUIRED"}, "REQUIRED", id="OpenAI's mode"),
        pytest.param({"mode": "ANY", "allowedFunctionNames": ["x"]}, "x is not in", id="an unknown function"),
        pytest.param({"allowedFunctionNames": ["time"]}, "mode is ANY", id="names without a mode"),
    ],
)
def test_choices_that_are_refused(config: dict[str, Any], why: str) -> None:
    """What has to be called has to be there."""
    assert why in refusal(tools=TOOLS, toolConfig={"functionCallingConfig": config})


def test_a_deep_schema_is_refused() -> None:
    """A schema does not nest for ever."""
    schema: dict[str, Any] = {"type": "STRING"}
    for _ in range(40):
        schema = {"type": "ARRAY", "items": schema}
    function = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": schema}}}
    assert "levels deep" in refusal(tools=[{"functionDeclarations": [function]}])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"contents": [HI]}, id="contents"),
        pytest.param({"generateContentRequest": {"model": "models/g", "contents": [HI]}}, id="a whole request"),
    ],
)
def test_counts(body: dict[str, Any]) -> None:
    """What is to be counted comes alone or as it would be sent."""
    assert 0 < GEMINI.chat(Call(Operation.COUNT, "g"), body).prompt_tokens < 20


@pytest.mark.parametrize(
    ("variant", "body", "inputs", "dimensions"),
    [
        pytest.param("", {"content": HI}, ("Hi",), 16, id="one"),
        pytest.param("", {"content": HI, "outputDimensionality": 3}, ("Hi",), 3, id="of a size"),
        pytest.param(
            "", {"content": HI, "embedContentConfig": {"outputDimensionality": 3}}, ("Hi",), 3, id="of a size, newer"
        ),
        pytest.param(
            "batch",
            {"requests": [{"model": "models/g", "content": HI}, {"model": "models/g", "content": HI}]},
            ("Hi", "Hi"),
            16,
            id="several",
        ),
    ],
)
def test_embeddings(variant: str, body: dict[str, Any], inputs: tuple[str, ...], dimensions: int) -> None:
    """One text or several, of the size that is wanted."""
    ask = GEMINI.embeddings(Call(Operation.EMBEDDINGS, "g", variant), body)
    assert (inputs, dimensions, "g") == (ask.inputs, ask.dimensions, ask.model)


@pytest.mark.parametrize(
    "body", [None, [], "text", 3, {"contents": 1}, {"contents": [None]}, {"contents": [{"parts": 1}]}]
)
def test_nonsense_is_refused(body: Any) -> None:
    """Whatever comes, the answer is a refusal."""
    with pytest.raises(RefusedError):
        GEMINI.chat(Call(Operation.CHAT, "g"), body)
