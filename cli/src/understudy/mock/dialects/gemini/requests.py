"""Reading Gemini's request bodies: what a body asks for, or a refusal in Google's words.

How single values are read is in `fields`, the conversation in `contents`. Encoding is in `gemini`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from understudy.mock.asks import Call, Chat, Embeddings, Spoke, rounds_in
from understudy.mock.dialects.gemini.contents import CONTENT, Turn, read_parts, read_turn
from understudy.mock.dialects.gemini.fields import Fields, fields, names_of
from understudy.mock.dialects.gemini.order import check_order
from understudy.mock.dialects.gemini.schema import json_schema
from understudy.mock.dialects.gemini.tools import read_tools
from understudy.mock.failures import bad_request
from understudy.mock.replies import tokens_in

THOUGHTS = " thoughts"
"""What follows the variant of a call that wants to see thoughts, in `Chat.variant`."""

_REQUEST = names_of(
    "model contents system_instruction tools tool_config generation_config safety_settings cached_content labels "
    "service_tier store model_armor_config"
)
_COUNT = frozenset(
    {"model", "contents", "generate_content_request", "system_instruction", "tools", "generation_config"}
)
_GENERATION = names_of(
    "temperature top_p top_k candidate_count max_output_tokens stop_sequences seed presence_penalty frequency_penalty "
    "response_logprobs logprobs response_mime_type response_schema response_json_schema response_modalities "
    "thinking_config media_resolution speech_config image_config audio_timestamp routing_config "
    "model_selection_config enable_affective_dialog enable_enhanced_civic_answers response_format"
)
_WHOLE = "generate_content_request"
_RESPONSE_TYPES = ("text/plain", "application/json", "text/x.enum")
_THINKING = frozenset({"include_thoughts", "thinking_budget", "thinking_level"})
_LEVELS = frozenset({"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", "THINKING_LEVEL_UNSPECIFIED"})
_EMBED_CONFIG = names_of("task_type title output_dimensionality auto_truncate document_ocr audio_track_extraction")
_EMBED = frozenset({"model", "content", "embed_content_config", *_EMBED_CONFIG})
_PREDICT = names_of("instances parameters labels")
_INSTANCE = names_of("content task_type title")
_PARAMETERS = names_of("output_dimensionality auto_truncate")

_MOST_CANDIDATES = 8
_MOST_STOPS = 5
_MOST_BATCH = 100
_MOST_DIMENSIONS = 4096
_USUAL_DIMENSIONS = 16
# An estimate, as every count of a mock: what a turn adds to its texts, and what an image takes.
_TOKENS_A_TURN = 4
_TOKENS_A_MEDIUM = 258


def read_generate(call: Call, content: Any) -> Chat:
    """Read the body of `:generateContent` or `:streamGenerateContent`."""
    return _chat(call, fields(content, at="", names=_REQUEST))


def read_count(call: Call, content: Any) -> Chat:
    """Read the body of `:countTokens`: the contents alone, or a whole request in `generateContentRequest`."""
    body = fields(content, at="", names=_COUNT)
    if body.has("contents") and body.has(_WHOLE):
        raise bad_request("Only one of contents and generate_content_request can be set.")
    return _chat(call, body.message(_WHOLE, _REQUEST) if body.has(_WHOLE) else body)


def read_embed(call: Call, content: Any) -> Embeddings:
    """Read the body of `:embedContent` or, for several at once, of `:batchEmbedContents`."""
    if call.variant == "batch":
        requests = fields(content, at="", names=frozenset({"requests"})).messages("requests", _EMBED)
    else:
        requests = [fields(content, at="", names=_EMBED)]
    if not 1 <= len(requests) <= _MOST_BATCH:
        raise bad_request(f"* BatchEmbedContentsRequest.requests: at least one and at most {_MOST_BATCH} requests.")
    for request in requests:
        _check_model(request, call)
    texts = [_embedded(request) for request in requests]
    return Embeddings(
        model=call.model,
        inputs=tuple(texts),
        dimensions=_dimensions(requests[0]) or _USUAL_DIMENSIONS,
        base64=False,
        prompt_tokens=sum(map(tokens_in, texts)),
        variant=call.variant,
    )


def read_predict(call: Call, content: Any) -> Embeddings:
    """Read the body of Vertex's `:predict` for a model that makes vectors."""
    body = fields(content, at="", names=_PREDICT)
    texts = [instance.text("content") for instance in body.messages("instances", _INSTANCE)]
    inputs = tuple(text for text in texts if text)
    if not 1 <= len(inputs) == len(texts) <= _MOST_BATCH:
        raise bad_request(f"instances: from one to {_MOST_BATCH} instances, each with a content that is not empty.")
    parameters = body.message("parameters", _PARAMETERS)
    return Embeddings(
        model=call.model,
        inputs=inputs,
        dimensions=parameters.integer("output_dimensionality", least=1, most=_MOST_DIMENSIONS) or _USUAL_DIMENSIONS,
        base64=False,
        prompt_tokens=sum(map(tokens_in, inputs)),
        variant=call.variant,
    )


def _chat(call: Call, body: Fields) -> Chat:
    _check_model(body, call)
    turns = [read_turn(one, at=f"{body.at('contents')}[{n}]") for n, one in enumerate(body.listed("contents"))]
    check_order(turns, model=call.model)
    config = body.message("generation_config", _GENERATION)
    _check_numbers(config)
    offered = read_tools(body)
    system = read_parts(body.message("system_instruction", CONTENT)) if body.has("system_instruction") else ()
    returned = turns[-1].of("function_response")
    shown = _shows_thoughts(config)
    return Chat(
        model=call.model,
        said=next((turn.text for turn in reversed(turns) if turn.role == "user" and turn.of("text")), ""),
        tool_result=", ".join(part.text for part in returned) if returned else None,
        rounds=rounds_in(_spoke(turn) for turn in turns),
        media=tuple(part.media for turn in turns for part in turn.parts if part.media),
        prompt_tokens=_size(turns) + sum(tokens_in(part.text) for part in system),
        stream=call.variant in {"sse", "array"},
        choices=config.integer("candidate_count", least=1, most=_MOST_CANDIDATES) or 1,
        max_tokens=config.integer("max_output_tokens", least=1),
        stop=_stops(config),
        tools=offered.allowed,
        calls=offered.forced,
        schema=_schema(config),
        variant=call.variant + THOUGHTS if shown else call.variant,
    )


def _spoke(turn: Turn) -> Spoke:
    if turn.role == "user" and turn.of("text"):
        return Spoke.USER
    return Spoke.TOOLS if turn.of("function_response") else Spoke.OTHER


def _check_model(body: Fields, call: Call) -> None:
    """A body may repeat the model of the path, and no other."""
    named = body.text("model")
    if named is not None and named.rpartition("/")[2] != call.model:
        raise bad_request(f"{body.at('model')}: the model has to be that of the URL, models/{call.model}.")


def _size(turns: Sequence[Turn]) -> int:
    parts = [part for turn in turns for part in turn.parts]
    media = sum(part.media is not None for part in parts)
    return _TOKENS_A_TURN * len(turns) + sum(tokens_in(part.text) for part in parts) + _TOKENS_A_MEDIUM * media


def _check_numbers(config: Fields) -> None:
    """Refuse values out of range in fields that change nothing here."""
    config.number("temperature", least=0, most=2)
    config.number("top_p", least=0, most=1)
    config.number("top_k", least=1, most=1000)
    config.number("presence_penalty", least=-2, most=2)
    config.number("frequency_penalty", least=-2, most=2)
    config.integer("seed")
    if config.integer("logprobs", least=0, most=20) is not None and not config.flag("response_logprobs"):
        raise bad_request(f"{config.at('logprobs')} is only allowed when response_logprobs is true.")


def _shows_thoughts(config: Fields) -> bool:
    thinking = config.message("thinking_config", _THINKING)
    level = thinking.text("thinking_level")
    budget = thinking.integer("thinking_budget", least=-1)
    if level is not None and budget is not None:
        raise bad_request("You can only set only one of thinking budget and thinking level.")
    if level is not None and level.upper() not in _LEVELS:
        raise bad_request(f"Invalid value at '{thinking.at('thinking_level')}', \"{level}\"")
    return bool(thinking.flag("include_thoughts"))


def _stops(config: Fields) -> tuple[str, ...]:
    stops = config.texts("stop_sequences")
    if len(stops) > _MOST_STOPS:
        raise bad_request(f"{config.at('stop_sequences')}: at most {_MOST_STOPS} are allowed.")
    return tuple(stops)


def _schema(config: Fields) -> Mapping[str, Any] | None:
    wanted = [name for name in ("response_schema", "response_json_schema") if config.has(name)]
    kind = config.text("response_mime_type") or "text/plain"
    if kind not in _RESPONSE_TYPES:
        raise bad_request(f"{config.at('response_mime_type')}: allowed mimetypes are {', '.join(_RESPONSE_TYPES)}.")
    if len(wanted) > 1:
        raise bad_request(f"Only one of {' and '.join(wanted)} can be set.")
    if wanted and kind == "text/plain":
        raise bad_request(f"{config.at(wanted[0])} requires response_mime_type application/json.")
    if wanted == ["response_schema"]:
        return json_schema(config.values["response_schema"], at=config.at("response_schema"))
    return None if kind == "text/plain" else config.struct("response_json_schema") or {}


def _embedded(request: Fields) -> str:
    parts = read_parts(request.message("content", CONTENT))
    request.text("task_type")
    return "\n".join(part.text for part in parts)


def _dimensions(request: Fields) -> int | None:
    """Return the size that is asked for, which the newest clients say in `embedContentConfig`."""
    config = request.message("embed_content_config", _EMBED_CONFIG)
    for given in (request, config):
        dimensions = given.integer("output_dimensionality", least=1, most=_MOST_DIMENSIONS)
        if dimensions is not None:
            return dimensions
    return None
