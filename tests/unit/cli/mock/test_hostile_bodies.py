"""Every form of request, with each of its values replaced by each kind of nonsense."""

import copy
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from understudy.mock.asks import Call, Chat, Operation
from understudy.mock.dialects import Dialect, Stamp
from understudy.mock.dialects.anthropic import Anthropic
from understudy.mock.dialects.azure import AzureChat
from understudy.mock.dialects.bedrock import Bedrock
from understudy.mock.dialects.completions import Completions
from understudy.mock.dialects.gemini import Gemini, Vertex
from understudy.mock.dialects.llamacpp import LlamaCpp
from understudy.mock.dialects.ollama import Ollama
from understudy.mock.dialects.openai import OpenAI
from understudy.mock.dialects.responses import Responses
from understudy.mock.failures import RefusedError
from understudy.mock.replies import reply_to
from understudy.mock.settings import Settings
from understudy.mock.signatures import signature
from understudy.mock.vectors import vectors_for

STAMP = Stamp("ada", 7, 1700000000)
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    3.5,
    1e308,
    2**63,
    "",
    "x",
    "[call]",
    [],
    {},
    [[]],
    [None],
    {"type": []},
    [1, "a"],
]
DATA = b64encode(b"data").decode()
IMAGE = f"data:image/png;base64,{DATA}"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}

GENERATE = {
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": DATA}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"city": "Oslo"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "rain"}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {
                            "city": {"type": "STRING", "enum": ["a"], "format": "enum"},
                            "days": {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": 2},
                            "far": {"anyOf": [{"type": "NUMBER", "minimum": 1}]},
                        },
                        "required": ["city"],
                    },
                }
            ]
        }
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 1,
        "maxOutputTokens": 5,
        "stopSequences": ["a"],
        "candidateCount": 2,
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1},
    },
}
EMBED = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 2}
OLLAMA_CHAT = {
    "model": "m",
    "messages": [
        {"role": "user", "content": "Hi", "images": [DATA]},
        {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
        {"role": "tool", "content": "rain"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    "format": {"type": "object"},
    "options": {"num_predict": 3, "stop": ["a"]},
    "think": "low",
    "keep_alive": "5m",
}
RESPONSE = {
    "model": "m",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Hi"},
                {"type": "input_image", "image_url": IMAGE},
                {"type": "input_file", "file_data": IMAGE},
            ],
        },
        {"type": "reasoning", "id": "r", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "rain"}]},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
    "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    "max_output_tokens": 3,
    "stream": True,
    "instructions": "Be brief.",
}
COMPLETION = {"model": "m", "prompt": ["a", "b"], "n": 2, "stream": True, "stream_options": {"include_usage": True}}
OPENAI_CHAT = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": IMAGE}},
                {"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
                {"type": "file", "file": {"file_data": IMAGE}},
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "rain"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
    },
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "stop": ["a"],
    "max_completion_tokens": 5,
    "n": 2,
    "stream": True,
    "stream_options": {"include_usage": True},
}
ANTHROPIC = {
    "model": "m",
    "max_tokens": 2000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
                {"type": "document", "source": {"type": "url", "url": "https://example.com"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": signature("anthropic", "hm")},
                {"type": "tool_use", "id": "c", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "rain"}]}],
        },
    ],
    "tools": [{"name": "f", "input_schema": SCHEMA}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "stop_sequences": ["a"],
    "stream": True,
}
CONVERSE = {
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Hi"},
                {"image": {"format": "png", "source": {"bytes": DATA}}},
                {"document": {"format": "pdf", "name": "a", "source": {"bytes": DATA}}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": signature("anthropic", "hm")}}},
                {"toolUse": {"toolUseId": "c", "name": "f", "input": {}}},
            ],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c", "content": [{"json": {"a": 1}}]}}]},
    ],
    "toolConfig": {
        "tools": [{"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": SCHEMA}}}],
        "toolChoice": {"any": {}},
    },
    "inferenceConfig": {"maxTokens": 5, "temperature": 0.5, "stopSequences": ["a"]},
    "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}"}}}},
}

FORMS = [
    pytest.param(OpenAI(), Call(Operation.CHAT), OPENAI_CHAT, id="openai"),
    pytest.param(Anthropic(), Call(Operation.CHAT, variant="2023-06-01"), ANTHROPIC, id="anthropic"),
    pytest.param(Anthropic(), Call(Operation.CHAT, variant="2026-10-21"), ANTHROPIC, id="anthropic, newer"),
    pytest.param(Bedrock(), Call(Operation.CHAT, "m", "converse-stream"), CONVERSE, id="bedrock"),
    pytest.param(Bedrock(), Call(Operation.COUNT, "m"), {"input": {"converse": CONVERSE}}, id="bedrock count"),
    pytest.param(Gemini(), Call(Operation.CHAT, "gemini-2.5", "sse"), GENERATE, id="gemini"),
    pytest.param(Gemini(), Call(Operation.COUNT, "g"), {"generateContentRequest": GENERATE}, id="gemini count"),
    pytest.param(Gemini(), Call(Operation.EMBEDDINGS, "g", "batch"), {"requests": [EMBED]}, id="gemini vectors"),
    pytest.param(
        Vertex(), Call(Operation.EMBEDDINGS, "g", "predict"), {"instances": [{"content": "a"}]}, id="vertex vectors"
    ),
    pytest.param(Ollama(), Call(Operation.CHAT, variant="chat"), OLLAMA_CHAT, id="ollama chat"),
    pytest.param(
        Ollama(), Call(Operation.CHAT, variant="generate"), {"model": "m", "prompt": "Hi"}, id="ollama generate"
    ),
    pytest.param(
        Ollama(), Call(Operation.EMBEDDINGS, variant="embed"), {"model": "m", "input": ["a"]}, id="ollama embed"
    ),
    pytest.param(Responses(), Call(Operation.CHAT), RESPONSE, id="responses"),
    pytest.param(Completions(), Call(Operation.CHAT), COMPLETION, id="completions"),
    pytest.param(AzureChat(OpenAI()), Call(Operation.CHAT, "d"), OPENAI_CHAT, id="azure"),
    pytest.param(LlamaCpp(), Call(Operation.CHAT), OPENAI_CHAT, id="llama.cpp"),
]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value in a body, the body itself first."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


def spoiled(body: Any, at: tuple[Any, ...], junk: Any) -> Any:
    """Return a copy of `body` with other content at one place."""
    if not at:
        return junk
    made = copy.deepcopy(body)
    holder = made
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = junk
    return made


def answered(dialect: Dialect, call: Call, body: Any) -> bool:
    """Answer a request in every way there is; False if it is refused."""
    try:
        if call.operation is Operation.EMBEDDINGS:
            vectors = dialect.embeddings(call, body)
            return bool(dialect.vectors(vectors, vectors_for(vectors)))
        ask: Chat = dialect.chat(call, body)
        if call.operation is Operation.COUNT:
            return bool(dialect.size(ask))
        reply = reply_to(ask, name="ada", settings=Settings())
        return bool(dialect.answer(ask, reply, STAMP) and dialect.stream(ask, reply, STAMP))
    except RefusedError as refused:
        return not dialect.error(call, refused.failure, STAMP)


@pytest.mark.parametrize(("dialect", "call", "body"), FORMS)
def test_nonsense_is_answered_or_refused(dialect: Dialect, call: Call, body: Any) -> None:
    """Whatever stands in a body, it is read or refused, and nothing else happens; as it is, it is answered."""
    assert answered(dialect, call, body)
    outcomes = {answered(dialect, call, spoiled(body, at, junk)) for at in places(body) for junk in JUNK}
    assert False in outcomes
