"""Reading Bedrock's request bodies, as strictly as AWS."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.mock.asks import Call, Media, MediaKind, Operation
from understudy.mock.dialects.bedrock_requests import read_converse, read_counted
from understudy.mock.failures import RefusedError
from understudy.mock.signatures import signature

CALL = Call(Operation.CHAT, "claude", "converse")
COUNT = Call(Operation.COUNT, "claude", "count-tokens")
HI = {"role": "user", "content": [{"text": "Hi"}]}
YES = {"role": "assistant", "content": [{"text": "Yes?"}]}
TOOLS = {"tools": [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in ("a", "b")]}
IMAGE = {"image": {"format": "png", "source": {"bytes": "YQ=="}}}
PDF = {"document": {"format": "pdf", "name": "My paper (1)", "source": {"bytes": "YQ=="}}}
SCHEMA = {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type": "object"}', "name": "n"}}}


def use(*ids: str) -> dict[str, Any]:
    """Return a message of the assistant that calls tools."""
    return {"role": "assistant", "content": [{"toolUse": {"toolUseId": one, "name": "a", "input": {}}} for one in ids]}


def result(*ids: str, content: object = ({"text": "22 C"},)) -> dict[str, Any]:
    """Return a message of the user with the tools' results."""
    given = list(content) if isinstance(content, tuple) else content
    return {"role": "user", "content": [{"toolResult": {"toolUseId": one, "content": given}} for one in ids]}


def user(*blocks: object) -> dict[str, Any]:
    """Return a message of the user."""
    return {"role": "user", "content": list(blocks)}


def thought(mark: str) -> dict[str, Any]:
    """Return a message of the assistant that has thought something."""
    return {
        "role": "assistant",
        "content": [{"reasoningContent": {"reasoningText": {"text": "hm", "signature": mark}}}],
    }


def body(**fields: Any) -> dict[str, Any]:
    """Return a request body that is well formed but for `fields`."""
    return {"messages": [HI], **fields}


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        pytest.param({}, "model", "claude", id="the model of the path"),
        pytest.param({}, "said", "Hi", id="what the user said"),
        pytest.param({"messages": [HI, YES, user({"text": "Bye"})]}, "said", "Bye", id="said last"),
        pytest.param(
            {"messages": [user({"text": "See"}, IMAGE, PDF)]},
            "media",
            (Media(MediaKind.IMAGE, "image/png"), Media(MediaKind.DOCUMENT, "application/pdf")),
            id="media",
        ),
        pytest.param(
            {"messages": [HI, use("x"), result("x")], "toolConfig": TOOLS}, "tool_result", "22 C", id="a tool's result"
        ),
        pytest.param(
            {"messages": [HI, use("x", "y"), result("x", "y")], "toolConfig": TOOLS},
            "tool_result",
            "22 C, 22 C",
            id="several results",
        ),
        pytest.param(
            {"messages": [HI, use("x"), result("x", content=({"json": {"c": 22}},))], "toolConfig": TOOLS},
            "tool_result",
            '{"c":22}',
            id="a result in JSON",
        ),
        pytest.param(
            {"messages": [HI, thought(signature("anthropic", "hm")), HI]}, "said", "Hi", id="a thought that comes back"
        ),
        pytest.param({"inferenceConfig": {"maxTokens": 5}}, "max_tokens", 5, id="max_tokens"),
        pytest.param({"inferenceConfig": {"stopSequences": ["END"]}}, "stop", ("END",), id="stop"),
        pytest.param({"inferenceConfig": {"temperature": 0.5, "topP": 1}}, "said", "Hi", id="sampling"),
        pytest.param({"outputConfig": {"textFormat": SCHEMA}}, "schema", {"type": "object"}, id="schema"),
        pytest.param({"requestMetadata": {"a": "b"}, "additionalModelRequestFields": {}}, "said", "Hi", id="the rest"),
    ],
)
def test_reads(fields: dict[str, Any], name: str, value: object) -> None:
    """Each field of a body means what AWS's reference says."""
    assert value == getattr(read_converse(CALL, body(**fields), stream=False), name)


@pytest.mark.parametrize(
    ("choice", "called", "allowed"),
    [
        pytest.param(None, [], ["a", "b"], id="null"),
        pytest.param({"auto": {}}, [], ["a", "b"], id="auto"),
        pytest.param({"any": {}}, ["a"], ["a", "b"], id="any: the first"),
        pytest.param({"tool": {"name": "b"}}, ["b"], ["b"], id="named"),
    ],
)
def test_knows_which_tools_to_call(choice: object, called: list[str], allowed: list[str]) -> None:
    """A tool is called where the choice says so."""
    chat = read_converse(CALL, body(toolConfig={**TOOLS, "toolChoice": choice}), stream=False)
    assert (called, allowed) == ([tool.name for tool in chat.calls], [tool.name for tool in chat.tools])


def with_tools(*messages: object) -> dict[str, Any]:
    """Return a body with tools."""
    return body(messages=[*messages], toolConfig=TOOLS)


def tool(**spec: Any) -> dict[str, Any]:
    """Return a body with one tool."""
    return body(toolConfig={"tools": [{"toolSpec": spec}]})


OBJECT = {"json": {"type": "object"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([], "body: Input should be", id="no object"),
        pytest.param({}, "messages: Member must have length", id="no message"),
        pytest.param(body(messages=[YES]), "must start with a user message", id="assistant first"),
        pytest.param(body(messages=[HI, HI]), "must alternate between user and assistant", id="two turns of one role"),
        pytest.param(body(messages=[{"role": "system", "content": [{"text": "x"}]}]), "enum value set", id="role"),
        pytest.param(body(messages=[{"role": "user", "content": "Hi"}]), "messages.0.content: Input", id="a string"),
        pytest.param(body(messages=[user()]), "at messages.0 is empty", id="no content"),
        pytest.param(body(messages=[user({"text": " "})]), "at messages.0.content.0 is blank", id="blank text"),
        pytest.param(body(messages=[user({"text": "a", **IMAGE})]), "exactly one member", id="two in one"),
        pytest.param(body(messages=[user({"type": "text"})]), "type is not supported", id="a block of others"),
        pytest.param(body(system=[{"text": ""}]), "system.0 is blank", id="empty system"),
        pytest.param(body(system="Be brief"), "system: Input should be a valid list", id="system a string"),
        pytest.param(
            body(messages=[user({"image": {"format": "jpg", "source": {"bytes": "YQ=="}}})]), "'jpg'", id="jpg"
        ),
        pytest.param(
            body(messages=[user({"image": {"format": "png", "source": {"bytes": "%"}}})]),
            "no valid base64",
            id="broken image",
        ),
        pytest.param(
            body(messages=[user({"image": {"format": "png", "source": {"url": "https://example.com"}}})]),
            "url is not supported",
            id="an image by URL",
        ),
        pytest.param(body(messages=[user(PDF)]), "A text block is required", id="a document alone"),
        pytest.param(
            body(messages=[user({"text": "x"}, {"document": {**PDF["document"], "name": "a.pdf"}})]),
            "characters that are not allowed",
            id="a document's name",
        ),
        pytest.param(
            body(messages=[HI, use("x"), result("x")]), "toolConfig field must be defined", id="calls without tools"
        ),
        pytest.param(with_tools(HI, use("x")), "Expected toolResult blocks at messages.2.content", id="no result"),
        pytest.param(with_tools(HI, use("x", "y"), result("x")), "the following Ids: y", id="a result missing"),
        pytest.param(with_tools(HI, use("x"), result("x", "y")), "exceeds the number of toolUse", id="one too many"),
        pytest.param(with_tools(HI, use("x"), result("x", "x")), "exceeds the number of toolUse", id="one twice"),
        pytest.param(with_tools(HI, YES, result("x")), "exceeds the number of toolUse", id="a result without a call"),
        pytest.param(with_tools(HI, use("x", "x"), result("x")), "duplicate Ids", id="an id twice"),
        pytest.param(with_tools(HI, use("x" * 65), result("x" * 65)), "less than or equal to 64", id="a long id"),
        pytest.param(with_tools(HI, use("a b"), result("a b")), "regular expression pattern", id="an id's alphabet"),
        pytest.param(
            with_tools(
                HI, {"role": "assistant", "content": [{"toolUse": {"toolUseId": "x", "name": "a", "input": "{}"}}]}
            ),
            "Provide a json object",
            id="arguments as a string",
        ),
        pytest.param(with_tools(HI, use("x"), result("x", content=({"text": ""},))), "is blank", id="an empty result"),
        pytest.param(with_tools(use("x") | {"role": "user"}), "only allowed in assistant", id="a user's call"),
        pytest.param(
            with_tools(HI, result("x") | {"role": "assistant"}), "only allowed in user", id="an assistant's result"
        ),
        pytest.param(
            body(messages=[HI, thought(signature("gemini", "hm")), HI]), "Invalid `signature`", id="a foreign thought"
        ),
        pytest.param(body(toolConfig={"tools": []}), "toolConfig.tools: Member must have length", id="no tools"),
        pytest.param(tool(name="a", inputSchema={"json": {}}), "must be one of the following: object", id="schema"),
        pytest.param(tool(name="a" * 65, inputSchema=OBJECT), "regular expression pattern", id="a long name"),
        pytest.param(tool(name="a", description="", inputSchema=OBJECT), "description: Member", id="no description"),
        pytest.param(
            body(toolConfig={**TOOLS, "toolChoice": {"none": {}}}), "exactly one of auto, any, tool", id="choice none"
        ),
        pytest.param(
            body(toolConfig={**TOOLS, "toolChoice": {"tool": {"name": "z"}}}),
            "z is none of the tools",
            id="no such tool",
        ),
        pytest.param(body(inferenceConfig={"maxTokens": 0}), "greater than or equal to 1", id="max_tokens"),
        pytest.param(body(inferenceConfig={"temperature": 1.5}), "temperature: Input should be", id="temperature"),
        pytest.param(
            body(outputConfig={"textFormat": {**SCHEMA, "structure": {"jsonSchema": {"schema": "{"}}}}),
            "no JSON",
            id="a broken schema",
        ),
    ],
)
def test_refuses(content: object, message: str) -> None:
    """What AWS would refuse is refused with 400, in its words where they are known."""
    with pytest.raises(RefusedError) as caught:
        read_converse(CALL, content, stream=False)
    assert (400, True) == (caught.value.failure.status, message in caught.value.failure.message)


def test_counts_what_it_would_read() -> None:
    """The body to count is that of the conversation, one level down; or that of another operation, as it is."""
    chat = read_converse(CALL, body(), stream=False)
    assert chat.prompt_tokens == read_counted(COUNT, {"input": {"converse": body()}}).prompt_tokens
    assert read_counted(COUNT, {"input": {"invokeModel": {"body": "YWJjZA=="}}}).prompt_tokens == 2
    with pytest.raises(RefusedError, match="input: Field required"):
        read_counted(COUNT, body())


FIELDS = ["role", "content", "text", "image", "document", "toolUse", "toolResult", "reasoningContent", "format", "name"]
FIELDS += ["source", "bytes", "input", "toolUseId", "json", "tools", "toolSpec", "inputSchema", "toolChoice", "any"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 100) | st.sampled_from(["user", "assistant", "png", "a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=20,
)
BLOCKS = st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=1))


@given(
    st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": BLOCKS})) | JSON, JSON
)
def test_any_body_is_read_or_refused(messages: object, anything: object) -> None:
    """No JSON makes reading fail in any other way than by a refusal."""
    content = body(messages=messages, toolConfig=anything, inferenceConfig=anything, outputConfig=anything)
    with contextlib.suppress(RefusedError):
        read_converse(CALL, content, stream=False)
    with contextlib.suppress(RefusedError):
        read_counted(COUNT, {"input": anything})
