"""A conversation put into Anthropic's words and read again means the same."""

from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st

from harness.runtimes import a_candidate, a_model
from understudy_proxy.dialects.anthropic.conversation import read_chat
from understudy_proxy.dialects.anthropic.provider import PROVIDER
from understudy_proxy.dialects.anthropic.request import read
from understudy_proxy.dialects.canonical.chat import (
    Chat,
    Effort,
    JsonFormat,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from understudy_proxy.dialects.canonical.content import (
    CacheMark,
    Document,
    Image,
    Issuer,
    Message,
    Part,
    Role,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

CANDIDATE = a_candidate("ai/claude:m", a_model(upstream_name="claude-opus-4-6"))
WORDS = st.text(min_size=1).filter(lambda text: bool(text.strip()))
IDS = st.from_regex("[a-zA-Z0-9_-]{1,20}", fullmatch=True)
MARKS = st.sampled_from([None, None, CacheMark(), CacheMark("5m"), CacheMark("1h")])
TEXTS = st.builds(Text, WORDS, MARKS)
IMAGES = st.one_of(
    st.builds(Image, st.just("image/png"), st.just("iVBO"), cache=MARKS),
    st.builds(Image, url=st.just("https://x/y.png"), cache=MARKS),
)
DOCUMENTS = st.one_of(
    st.builds(Document, st.just("application/pdf"), data=st.just("JVBE"), title=st.none() | WORDS, cache=MARKS),
    st.builds(Document, st.just("text/plain"), text=WORDS, title=st.none() | WORDS, cache=MARKS),
)
ARGUMENTS = st.dictionaries(WORDS, st.none() | st.booleans() | st.integers(-9, 9) | st.text()).map(
    lambda given: orjson.dumps(given).decode()
)
OWN_THOUGHTS = st.one_of(
    st.builds(Thinking, st.text(), st.builds(Signature, IDS, st.just(Issuer.ANTHROPIC))),
    st.builds(Thinking, redacted=IDS),
)
SCHEMAS = st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(WORDS, st.just({}))})
TOOLS = st.builds(Tool, IDS, st.none() | WORDS, SCHEMAS, st.sampled_from([None, True]), MARKS)


@st.composite
def turns(draw: st.DrawFn) -> tuple[Message, ...]:
    """A conversation of some rounds, with calls that are answered."""
    opening: list[Part] = draw(st.lists(TEXTS | IMAGES | DOCUMENTS, min_size=1, max_size=3))
    messages = [Message(Role.USER, tuple(opening))]
    for _ in range(draw(st.integers(0, 2))):
        calls: list[ToolCall] = draw(
            st.lists(st.builds(ToolCall, IDS, IDS, ARGUMENTS, cache=MARKS), max_size=2, unique_by=_id)
        )
        thoughts: list[Thinking] = draw(st.lists(OWN_THOUGHTS, max_size=2))
        said: tuple[Part, ...] = (*thoughts, draw(TEXTS), *calls)
        results = tuple(
            ToolResult(call.id, tuple(draw(st.lists(TEXTS | IMAGES, max_size=2))), call.name, draw(st.booleans()))
            for call in calls
        )
        messages += [Message(Role.ASSISTANT, said), Message(Role.USER, (*results, draw(TEXTS)))]
    return tuple(messages)


def _id(call: ToolCall) -> str:
    return call.id


@st.composite
def chats(draw: st.DrawFn) -> Chat:
    """All that this dialect can say."""
    tools = tuple(draw(st.lists(TOOLS, max_size=3, unique_by=lambda tool: tool.name)))
    choices = [None, ToolChoice(ToolMode.NONE), ToolChoice(ToolMode.REQUIRED)]
    choices += [ToolChoice(ToolMode.REQUIRED, (tool.name,)) for tool in tools]
    choice = draw(st.sampled_from(choices)) if tools else None
    forced = choice is not None and choice.mode is ToolMode.REQUIRED
    reasoning = draw(
        st.none()
        | st.just(Reasoning(budget_tokens=0))
        | st.builds(Reasoning, st.sampled_from([None, Effort.LOW, Effort.MAX]), visible=st.sampled_from([None, True]))
    )
    return Chat(
        model="claude-opus-4-6",
        messages=draw(turns()),
        system=tuple(draw(st.lists(TEXTS, max_size=2))),
        tools=tools,
        tool_choice=choice,
        sampling=Sampling(temperature=draw(st.none() | st.floats(0, 1)), stop=tuple(draw(st.lists(WORDS, max_size=2))))
        if reasoning is None
        else Sampling(),
        max_tokens=draw(st.integers(1, 9999)),
        format=draw(st.none() | SCHEMAS.map(JsonFormat)),
        reasoning=None if forced else reasoning,
        user=draw(st.none() | IDS),
        service_tier=draw(st.sampled_from([None, "auto", "default"])),
        stream=draw(st.booleans()),
    )


@given(chats())
def test_what_is_encoded_means_the_same(chat: Chat) -> None:
    """Every part in its place, without a warning."""
    call = PROVIDER.chat(chat, CANDIDATE).call
    assert (chat, ()) == (read_chat(read(call.body, version=None, betas=None)), call.warnings)


@given(chats(), st.text(min_size=1), st.text(min_size=1))
def test_any_names_come_out_alike(chat: Chat, name: str, call_id: str) -> None:
    """Whatever a client calls its tools and calls, each is one thing to the vendor, by a name that it takes."""
    called = (
        Message(Role.ASSISTANT, (ToolCall(call_id, name, "{}"),)),
        Message(Role.USER, (ToolResult(call_id, (), name),)),
    )
    tools = (*(tool for tool in chat.tools if tool.name != name), Tool(name))
    odd = replace(chat, messages=(*chat.messages, *called), tools=tools, tool_choice=None, reasoning=None)
    again = read_chat(read(PROVIDER.chat(odd, CANDIDATE).call.body, version=None, betas=None))
    call, result = again.messages[-2].parts[-1], again.messages[-1].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.id, call.name) == (result.call_id, again.tools[-1].name)
    assert len({tool.name for tool in again.tools}) == len(tools)
