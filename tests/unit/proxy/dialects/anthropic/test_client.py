"""What clients of Anthropic's dialect send, and what they get of any provider's answer."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_api.config import Capability
from understudy_proxy.dialects.anthropic.conversation import read_chat
from understudy_proxy.dialects.anthropic.decode import read as read_answer
from understudy_proxy.dialects.anthropic.decoder import MessagesDecoder
from understudy_proxy.dialects.anthropic.encode import Encoded
from understudy_proxy.dialects.anthropic.encoder import MAX_KEPT_CHARACTERS, MessageEncoder
from understudy_proxy.dialects.anthropic.errors import in_stream
from understudy_proxy.dialects.anthropic.errors import render as render_error
from understudy_proxy.dialects.anthropic.message import render
from understudy_proxy.dialects.anthropic.names import MAX_NAME, NAME_CHARACTERS
from understudy_proxy.dialects.anthropic.request import MessagesRequest, read, read_count
from understudy_proxy.dialects.canonical.answer import Answer, Choice, Finish
from understudy_proxy.dialects.canonical.chat import Chat, Effort, JsonFormat, Reasoning, ToolChoice, ToolMode
from understudy_proxy.dialects.canonical.content import (
    AssistantPart,
    CacheMark,
    Document,
    Issuer,
    Refusal,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from understudy_proxy.dialects.canonical.events import (
    ArgumentsDelta,
    Began,
    Counted,
    Ended,
    Event,
    Finished,
    KeptAlive,
    RefusalDelta,
    Resumed,
    TextDelta,
    ThinkingDelta,
    ThinkingRedacted,
    ThinkingSigned,
    ToolCallBegan,
)
from understudy_proxy.dialects.canonical.fold import fold
from understudy_proxy.dialects.canonical.renaming import Renaming
from understudy_proxy.dialects.request_error import RequestError, Unsupported
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import FailureKind, UpstreamFailure

HELLO = [{"role": "user", "content": "Hello"}]
OLD, NEW = "2023-06-01", "2026-10-21"
UNCHANGED = Encoded(
    {}, Renaming(NAME_CHARACTERS, MAX_NAME), Renaming(NAME_CHARACTERS, MAX_NAME), json_tool=False, warnings=()
)


def asked(version: str | None = OLD, betas: str | None = None, **fields: Any) -> MessagesRequest:
    """A request."""
    body = {"model": "chat", "max_tokens": 100, "messages": HELLO, **fields}
    return read(orjson.dumps(body), version=version, betas=betas)


def chat(**fields: Any) -> Chat:
    """What a request means."""
    return read_chat(asked(**fields))


def said(*blocks: dict[str, Any], role: str = "user") -> list[dict[str, Any]]:
    """Messages that end with one of these blocks."""
    return [*HELLO, {"role": role, "content": list(blocks)}]


def encoded(*events: Event) -> bytes:
    """A stream of these events."""
    return MessageEncoder(model="chat").encode(events)


def decoded(stream: bytes) -> list[Event]:
    """What a client understands of a stream."""
    decoder = MessagesDecoder(UNCHANGED)
    return [event for event in decoder.feed(stream) + decoder.close() if not isinstance(event, KeptAlive)]


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        pytest.param({}, set(), id="text"),
        pytest.param({"stream": True}, {Capability.STREAMING}, id="a stream"),
        pytest.param({"tools": [{"name": "f", "input_schema": {}}]}, {Capability.TOOLS}, id="tools"),
        pytest.param(
            {"messages": said({"type": "image", "source": {"type": "url", "url": "https://x/y"}})},
            {Capability.VISION},
            id="an image",
        ),
        pytest.param(
            {"messages": said({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image"}]})},
            {Capability.VISION},
            id="an image in a result",
        ),
        pytest.param(
            {"output_config": {"format": {"type": "json_schema", "schema": {}}}}, {Capability.JSON_SCHEMA}, id="JSON"
        ),
        pytest.param(
            {"messages": said({"type": "text", "text": "So"}, role="assistant")}, {Capability.PREFILL}, id="a prefill"
        ),
    ],
)
def test_what_an_answer_takes(fields: dict[str, Any], needed: set[Capability]) -> None:
    """Routing learns which capabilities a request needs."""
    assert {Capability.CHAT, *needed} == asked(**fields).need.capabilities


def test_media_do_not_count_as_text() -> None:
    """A picture of a megabyte is a picture, not a quarter of a million tokens."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 1_000_000}}
    need = asked(messages=said(image)).need
    assert 1000 < need.input_tokens < 1100
    assert 100 == need.max_output_tokens


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"model": None}, "model: Field required", id="no model"),
        pytest.param({"model": 7}, "model: Input should be a valid string", id="a number for a model"),
        pytest.param({"max_tokens": None}, "max_tokens: Field required", id="no bound"),
        pytest.param(
            {"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0", id="a negative bound"
        ),
        pytest.param({"messages": None}, "messages: at least one message is required", id="no messages"),
        pytest.param({"messages": ["hi"]}, "messages.0: Input should be a valid dictionary", id="a text"),
        pytest.param({"messages": [{"role": "user"}]}, "messages.0.content: Field required", id="no content"),
        pytest.param({"messages": [{"role": "tool", "content": ""}]},
                     "messages.0.role: Input should be 'user', 'assistant' or 'system'", id="a role of others"),
        pytest.param({"messages": said({})}, "messages.1.content.0.type: Field required", id="a block of no type"),
        pytest.param({"stream": 1}, "stream: Input should be a valid boolean", id="stream"),
        pytest.param({"version": "tomorrow"}, 'anthropic-version: "tomorrow" is not a valid version', id="version"),
        pytest.param({"version": NEW, "temperature": 1}, "temperature: Extra inputs are not permitted",
                     id="temperature, in the newer version"),
        pytest.param({"version": NEW, "top_k": None}, "top_k: Extra inputs are not permitted",
                     id="even null, in the newer version"),
        pytest.param({"version": NEW, "messages": said({"type": "document"}, role="assistant")},
                     "messages.1.content.0: `document` blocks are not permitted in assistant messages",
                     id="a document of the assistant's"),
        pytest.param({"version": NEW, "messages": said({"type": "text", "text": "a", "citations": [{}]})},
                     "messages.1.content.0.text.citations: Extra inputs are not permitted", id="citations"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_as_the_vendor_says_it(fields: dict[str, Any], message: str) -> None:
    """The field by its path, and why."""
    with pytest.raises(RequestError) as error:
        asked(**fields)
    assert message == error.value.message


def test_the_older_version_takes_all() -> None:
    """Clients that have not moved keep working; a request without a version is one of them."""
    request = asked(version=None, temperature=0.5, top_p=0.9, top_k=3)
    sampling = read_chat(request).sampling
    assert (OLD, 0.5, 0.9, 3) == (request.version, sampling.temperature, sampling.top_p, sampling.top_k)


def test_a_count_needs_no_bound() -> None:
    """There is no answer to bound."""
    body = orjson.dumps({"model": "chat", "messages": HELLO})
    assert "chat" == read_count(body, version=NEW, betas=None).model
    with pytest.raises(RequestError):
        read(body, version=NEW, betas=None)


@pytest.mark.parametrize(
    ("fields", "read_back", "expected"),
    [
        pytest.param({"system": "Be brief."}, lambda one: one.system, (Text("Be brief."),), id="system as a text"),
        pytest.param({"cache_control": {"type": "ephemeral"}}, lambda one: one.messages[-1].parts,
                     (Text("Hello", CacheMark()),), id="a cache mark for everything"),
        pytest.param({"tool_choice": {"type": "any"}}, lambda one: one.tool_choice,
                     ToolChoice(ToolMode.REQUIRED), id="any tool"),
        pytest.param({"tool_choice": {"type": "none"}}, lambda one: one.tool_choice,
                     ToolChoice(ToolMode.NONE), id="no tool"),
        pytest.param({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
                     lambda one: one.parallel_tool_calls, False, id="one tool at a time"),
        pytest.param({"thinking": {"type": "disabled"}}, lambda one: one.reasoning, Reasoning(budget_tokens=0),
                     id="no thinking"),
        pytest.param({"thinking": {"type": "enabled", "budget_tokens": 2000}}, lambda one: one.reasoning,
                     Reasoning(budget_tokens=2000, visible=True), id="a budget"),
        pytest.param({"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "max"}},
                     lambda one: one.reasoning, Reasoning(Effort.MAX, visible=False), id="effort"),
        pytest.param({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
                     lambda one: one.format, JsonFormat({"type": "object"}), id="a schema"),
        pytest.param({"service_tier": "standard_only"}, lambda one: one.service_tier, "default", id="a tier"),
        pytest.param({"betas": "a-2025,b-2026", "speed": "fast"}, lambda one: dict(one.extra),
                     {"anthropic-beta": "a-2025,b-2026", "speed": "fast"}, id="what is this vendor's alone"),
        pytest.param({"messages": said({"type": "document", "source": {"type": "content", "content": "abc"}})},
                     lambda one: one.messages[-1].parts[-1], Document("text/plain", text="abc"), id="content"),
        pytest.param({"messages": said({"type": "tool_result", "tool_use_id": "t"})},
                     lambda one: one.messages[-1].parts[0], ToolResult("t", ()), id="an empty result goes first"),
        pytest.param({"messages": [*HELLO, {"role": "system", "content": "Now in German."}]},
                     lambda one: one.system, (Text("Now in German."),), id="a system message in between"),
    ],
)  # fmt: skip
def test_what_is_meant(fields: dict[str, Any], read_back: Callable[[Chat], object], expected: object) -> None:
    """Each field has its place in canonical form."""
    assert expected == read_back(chat(**fields))


def test_neighbors_of_one_role_are_one_turn() -> None:
    """As the vendor merges them; the results of tools know their tools' names."""
    messages = chat(
        messages=[
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}]},
            {"role": "user", "content": "c"},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "d"}]},
        ]
    ).messages
    assert [Role.USER, Role.ASSISTANT, Role.USER] == [message.role for message in messages]
    assert (ToolCall("t", "f", '{"x":1}'),) == messages[1].parts
    assert (ToolResult("t", (Text("d"),), "f"), Text("c")) == messages[2].parts


def test_signatures_of_others_come_back_as_theirs() -> None:
    """What a client got with a tag, it sends back with it; reasoning that nobody signed stays so."""
    thoughts = [
        ("EqQB", Signature("EqQB", Issuer.ANTHROPIC)),
        ("understudy.gemini.CoQB", Signature("CoQB", Issuer.GEMINI)),
        ("understudy.openai.", None),
        ("", None),
    ]
    blocks = [{"type": "thinking", "thinking": "Hm.", "signature": sent} for sent, _ in thoughts]
    parts = chat(messages=said(*blocks, {"type": "text", "text": "x"}, role="assistant")).messages[-1].parts
    assert [Thinking("Hm.", signature) for _, signature in thoughts] == list(parts[:-1])


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"container": "c"}, id="container"),
        pytest.param({"mcp_servers": [{}]}, id="MCP servers"),
        pytest.param({"inference_geo": "eu"}, id="where"),
        pytest.param({"max_tokens": 0}, id="no answer"),
        pytest.param({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, id="a tool of the vendor's"),
        pytest.param({"messages": said({"type": "search_result"})}, id="a search result"),
        pytest.param({"messages": said({"type": "server_tool_use"}, role="assistant")}, id="a tool the vendor ran"),
        pytest.param({"messages": said({"type": "image", "source": {"type": "file", "file_id": "f"}})}, id="a file"),
        pytest.param(
            {"messages": said({"type": "document", "source": {"type": "text", "data": "x"}}, role="assistant")},
            id="a document of the assistant's",
        ),
    ],
)
def test_what_only_anthropic_can_do(fields: dict[str, Any]) -> None:
    """Others are passed over; that it can be passed on to Anthropic is seen in `test_passing`."""
    with pytest.raises(Unsupported):
        chat(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"messages": said({"type": "tool_use", "id": "t", "name": "f", "input": {}})}, id="user calls"),
        pytest.param({"messages": said({"type": "tool_result", "tool_use_id": "t"}, role="assistant")}, id="results"),
        pytest.param({"messages": said({"type": "tool_use", "id": "t", "name": "f"}, role="assistant")}, id="no input"),
        pytest.param({"messages": said({"type": "text"})}, id="no text"),
        pytest.param({"tools": [{"name": "f"}]}, id="no schema"),
        pytest.param({"tool_choice": {"type": "some"}}, id="a choice"),
        pytest.param({"tool_choice": {"type": "tool"}}, id="a choice without a name"),
        pytest.param({"thinking": {"type": "enabled"}}, id="no budget"),
        pytest.param({"thinking": {"type": "deep"}}, id="a way of thinking"),
        pytest.param({"output_config": {"effort": "some"}}, id="an effort"),
        pytest.param({"output_config": {"format": {"type": "xml"}}}, id="a format"),
        pytest.param({"stop_sequences": [1]}, id="stop"),
        pytest.param({"temperature": "hot"}, id="temperature"),
        pytest.param({"system": [{"type": "image"}]}, id="an image as a system prompt"),
    ],
)
def test_what_is_wrong_whoever_answers(fields: dict[str, Any]) -> None:
    """Never an exception of another kind."""
    with pytest.raises(RequestError):
        chat(**fields)


NAMES = """type role content text source image document tool_use tool_result thinking signature id name input user
assistant url data base64 media_type tool_use_id system messages tools tool_choice output_config format"""
FIELDS = st.sampled_from(NAMES.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FIELDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=4),
)


@given(JSON, st.dictionaries(FIELDS, JSON, max_size=6), st.binary(max_size=40))
def test_no_request_is_an_exception(block: object, fields: dict[str, Any], raw: bytes) -> None:
    """Whatever a client sends, it is a conversation or told what is wrong."""
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [block]}], **fields}
    for sent in (json.dumps(body).encode(), json.dumps(fields).encode(), raw):
        with suppress(RequestError, Unsupported):
            read_chat(read(sent, version=NEW, betas=None))


def test_a_whole_answer() -> None:
    """In the vendor's shape, with all that its SDKs rely on."""
    usage = Usage(1510, 42, cached_input=1000, cache_write=500, reasoning=30)
    parts: tuple[AssistantPart, ...] = (
        Thinking("Hm.", Signature("CoQB", Issuer.GEMINI)),
        Text("So"),
        ToolCall("call_1", "f", '{"a": 1}', Signature("CsQC", Issuer.GEMINI)),
        ToolCall("call_2", "g", ""),
        ToolCall("call_3", "h", '{"a": '),
    )
    answer = Answer((Choice(parts, Finish.TOOL_CALLS),), usage, "chatcmpl-1", "gpt-4.1")
    assert {
        "id": "chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": "gpt-4.1",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "understudy.gemini.CoQB"},
            {"type": "text", "text": "So"},
            {"type": "thinking", "thinking": "", "signature": "understudy.gemini.CsQC"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
            {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
            {"type": "tool_use", "id": "call_3", "name": "h", "input": {"INVALID_JSON": '{"a": '}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 500,
            "cache_read_input_tokens": 1000,
            "output_tokens": 42,
            "output_tokens_details": {"thinking_tokens": 30},
            "service_tier": "standard",
        },
    } == orjson.loads(render(answer, asked()))


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        pytest.param(Choice((), Finish.STOP), "end_turn", id="an end"),
        pytest.param(Choice((), Finish.STOP, "END"), "stop_sequence", id="a stop sequence"),
        pytest.param(Choice((), Finish.LENGTH), "max_tokens", id="a bound"),
        pytest.param(Choice((), Finish.CONTENT_FILTER), "refusal", id="a filter"),
        pytest.param(Choice((Refusal("No."),), Finish.STOP), "refusal", id="a refusal"),
    ],
)
def test_why_an_answer_ends(choice: Choice, reason: str) -> None:
    """In the vendor's words."""
    assert reason == orjson.loads(render(Answer((choice,), None), asked()))["stop_reason"]


STREAMED = (
    Began("gen-1", "gpt-4.1"),
    Counted(Usage(10, 0)),
    ThinkingDelta("Hm"),
    ThinkingDelta("."),
    TextDelta("Grüß"),
    KeptAlive(),
    TextDelta(" Gott"),
    ToolCallBegan(0, "call_1", "f"),
    ArgumentsDelta(0, '{"a"'),
    ArgumentsDelta(0, ": 1}"),
    ToolCallBegan(1, "call_2", "g"),
    Finished(Finish.TOOL_CALLS),
    Counted(Usage(10, 7, cached_input=4)),
    Ended(),
)
WRITTEN = """\
event: message_start
data: {"type":"message_start","message":{"id":"gen-1","type":"message","role":"assistant","model":"gpt-4.1","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0,"output_tokens_details":{"thinking_tokens":0},"service_tier":"standard"}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"."}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"understudy.openai."}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüß"}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":" Gott"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_1","name":"f","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":": 1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_2","name":"g","input":{}}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":7,"output_tokens_details":{"thinking_tokens":0}}}

event: message_stop
data: {"type":"message_stop"}

"""  # noqa: E501 - as it is on the wire


def test_a_stream_as_clients_get_it() -> None:
    """Named events; blocks one after the other; usage at the end; and the end once."""
    assert WRITTEN.encode() == encoded(*STREAMED)


def test_it_does_not_matter_how_events_are_grouped() -> None:
    """One at a time or all at once, the stream is the same."""
    encoder = MessageEncoder(model="chat")
    assert WRITTEN.encode() == b"".join(encoder.encode([event]) for event in STREAMED)


def test_calls_that_come_mixed_up_are_told_apart() -> None:
    """Blocks never overlap: what comes for a second call before the first is whole waits for it."""
    events = decoded(
        encoded(
            ToolCallBegan(0, "a", "f"),
            ToolCallBegan(1, "b", "g"),
            ArgumentsDelta(1, '{"y":'),
            ArgumentsDelta(0, '{"x":'),
            ArgumentsDelta(1, "2}"),
            ArgumentsDelta(0, "1}"),
            Finished(Finish.TOOL_CALLS),
            Ended(),
        )
    )
    assert (ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", '{"y":2}')) == fold(events).choices[0].parts


def test_calls_mixed_up_without_a_bound_are_an_error() -> None:
    """What waits for its turn takes bounded memory; where that is not enough, the client is told."""
    encoder = MessageEncoder(model="chat")
    encoder.encode([ToolCallBegan(0, "a", "f"), ToolCallBegan(1, "b", "g")])
    large = "x" * (MAX_KEPT_CHARACTERS // 4)
    for _ in range(5):
        assert b"" == encoder.encode([ArgumentsDelta(1, large)])
    ending = encoder.encode([Finished(Finish.TOOL_CALLS), Ended()])
    assert b"event: error\n" in ending
    assert b"message_stop" not in ending


def test_an_answer_without_a_word_is_one() -> None:
    """It begins, and ends, and states usage."""
    events = decoded(encoded(Began(), Finished(Finish.STOP), Ended()))
    assert [Began, Counted, Finished, Counted, Ended] == [type(event) for event in events]


def test_an_answer_that_another_goes_on_with_stays_one() -> None:
    """The same block goes on, and a client that ignores pings notices nothing."""
    stream = encoded(Began("a", "b"), TextDelta("One "), Resumed("ai/b:m"), Began("c", "d"), TextDelta("two"))
    assert b'{"type":"ping","understudy":{"resumed_by":"ai/b:m"}}' in stream
    assert (1, 1) == (stream.count(b"message_start\n"), stream.count(b"content_block_start\n"))


SIGNATURE = Signature("EqQB", Issuer.ANTHROPIC)


def parts() -> st.SearchStrategy[list[Event]]:
    """One part of an answer, in pieces."""
    words = st.lists(st.text(min_size=1), min_size=1, max_size=3)
    call = st.tuples(st.just("call"), st.text(min_size=1), st.text(min_size=1), st.dictionaries(st.text(), st.text()))
    return st.one_of(
        words.map(lambda texts: [TextDelta(text) for text in texts]),
        words.map(lambda texts: [*(ThinkingDelta(text) for text in texts), ThinkingSigned(SIGNATURE)]),
        st.just([ThinkingRedacted("EmwK")]),
        call.map(lambda one: [ToolCallBegan(0, one[1], one[2]), ArgumentsDelta(0, orjson.dumps(one[3]).decode())]),
    )  # fmt: skip


@given(st.lists(parts(), max_size=6))
def test_what_is_encoded_is_understood_again(said_in_parts: list[list[Event]]) -> None:
    """An answer means the same to a client as to its provider, streamed or whole."""
    events: list[Event] = [Began("i", "m")]
    calls = -1
    for part in said_in_parts:
        for event in part:
            if isinstance(event, ToolCallBegan):
                calls += 1
                event.index = calls
            if isinstance(event, ArgumentsDelta):
                event.index = calls
            events.append(event)
    events += [Finished(Finish.TOOL_CALLS if calls >= 0 else Finish.STOP), Counted(Usage(9, 4, 1, 2, 3)), Ended()]
    expected = fold(events)
    again = fold(decoded(encoded(*events)))
    assert (expected.choices or (Choice((), Finish.STOP),), expected.usage) == (again.choices, again.usage)
    whole = read_answer(200, {}, render(expected, asked()), UNCHANGED)
    assert isinstance(whole, Answer)
    assert (expected.choices, expected.usage) == (whole.choices, whole.usage)


def test_a_refusal_is_read_and_told() -> None:
    """The words are there for who reads, the reason for who asks the program."""
    stream = encoded(RefusalDelta("I "), RefusalDelta("won't."), Finished(Finish.STOP), Ended())
    answer = fold(decoded(stream))
    assert Finish.CONTENT_FILTER is answer.choices[0].finish
    assert (Text("I won't."), Refusal("I won't.")) == answer.choices[0].parts


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(400, "invalid_request_error", id="400"),
        pytest.param(401, "authentication_error", id="401"),
        pytest.param(402, "billing_error", id="402"),
        pytest.param(403, "permission_error", id="403"),
        pytest.param(404, "not_found_error", id="404"),
        pytest.param(405, "invalid_request_error", id="405"),
        pytest.param(408, "timeout_error", id="408"),
        pytest.param(409, "conflict_error", id="409"),
        pytest.param(413, "request_too_large", id="413"),
        pytest.param(422, "invalid_request_error", id="422"),
        pytest.param(429, "rate_limit_error", id="429"),
        pytest.param(500, "api_error", id="500"),
        pytest.param(502, "api_error", id="502"),
        pytest.param(503, "overloaded_error", id="503"),
        pytest.param(504, "timeout_error", id="504"),
        pytest.param(529, "overloaded_error", id="529"),
    ],
)
def test_errors_by_status(status: int, kind: str) -> None:
    """The type that the vendor's SDKs expect, and what a program can tell apart beside it."""
    assert {
        "type": "error",
        "error": {"type": kind, "message": "Sorry.", "details": {"error_code": "why"}},
        "request_id": "req_1",
    } == orjson.loads(render_error(status, "Sorry.", code="why", request_id="req_1"))


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_failure_can_be_told_in_a_stream(kind: FailureKind) -> None:
    """An event that SDKs raise, without the provider's own words."""
    event = in_stream(UpstreamFailure(kind, "secret words"))
    assert event.startswith(b"event: error\ndata: {")
    assert b"secret" not in event
    assert orjson.loads(event.partition(b"data: ")[2])["error"]["type"].endswith("_error")
