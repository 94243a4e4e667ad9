"""Whatever JSON comes from a registry, an agent or a caller: an answer or one of our errors, never another."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from understudy import UnderstudyError
from understudy.agents._asking import AgentFold
from understudy.agents._matching import Offer, Wanted, matching, not_found, offers
from understudy.agents._request import AgentRequest
from understudy.agents._versions import satisfies
from understudy.client._listings import persona_list, provider_list
from understudy.client._server_tools import executed, tool_list
from understudy.client._sessions import session_state

NAMES = st.sampled_from(
    ["agents", "name", "id", "endpoint", "status", "capabilities", "function_name", "tags", "version", "available",
     "method", "params", "message", "result", "error", "content", "structuredContent", "isError", "type", "text",
     "request", "messages", "tools", "function", "model_params", "output_schema", "context", "tool_calls",
     "_mesh_usage", "_mesh_frame", "data", "success", "code", "created_at", "models", "health", "code"]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["", "llm", "healthy", "http://a:80", "http://[", "notifications/progress", "chunk", "{}", "1.x"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=5)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=20
)
OFFER = Offer("a-1", "ada", "http://a", "process_chat", "llm", frozenset(), "1.0.0", healthy=True)
WANTED = Wanted("llm", ("a", "+b", "-c"), "^1.0 || 2.x")


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_lists_of_agents(raw: Any) -> None:
    """Are matched, or are none."""
    for listed in (
        raw,
        {"agents": raw},
        {"agents": [raw]},
        {"agents": [{"endpoint": "http://a", "capabilities": raw}]},
    ):
        with suppress(UnderstudyError):
            known = offers(listed)
            assert str(not_found(known, WANTED, registry="r"))
            matching(known, WANTED, stream=True)


@settings(max_examples=300, deadline=None)
@given(JSON, st.booleans())
def test_answers_of_agents(raw: Any, stream: bool) -> None:
    """Are folded, or are errors."""
    for said in (raw, {"result": raw}, {"result": {"structuredContent": raw}}, {"result": {"content": raw}}):
        fold = AgentFold(OFFER, stream=stream)
        with suppress(UnderstudyError):
            fold.add(json.dumps({"method": "notifications/progress", "params": raw}))
            fold.add(json.dumps(said))
            fold.end()
        assert fold.result().provider == "ada"


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_requests_to_agents(raw: Any) -> None:
    """Are read, or are refused with a sentence."""
    for request in (raw, {"messages": raw}, {"messages": [], "tools": raw}, {"messages": [], "model_params": raw}):
        with suppress(ValueError):
            read = AgentRequest.read({"request": request})
            assert isinstance(read.text, str)
            assert "extra" in read.options


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_answers_of_gateways(raw: Any) -> None:
    """Are understood, or are another server's."""
    for reading in (persona_list, provider_list, session_state):
        for said in (raw, [raw], {"id": "s", "created_at": raw}):
            with suppress(UnderstudyError):
                reading(said)
    for said in (raw, {"data": raw}, {"data": [{"function": raw}]}):
        with suppress(UnderstudyError):
            tool_list(said, lambda name: lambda: name)
    for said in (raw, {"success": False, "error": raw, "code": raw}):
        with suppress(UnderstudyError):
            executed(said, name="x")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12), st.text(alphabet="0123456789.x*<>=^~!|, -", max_size=16))
def test_versions(version: str, constraint: str) -> None:
    """Fit or do not."""
    assert satisfies(version, constraint) in {True, False}
