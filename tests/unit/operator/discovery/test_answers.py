"""What servers answer, as they answer it: which models come of it, and what of each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy_api.config import Capability
from understudy_operator.compile import DiscoveredModel
from understudy_operator.discovery.answers import (
    NoList,
    Props,
    read_list,
    read_llama_cpp,
    read_props,
    read_show,
    read_tags,
)

CHAT = frozenset({Capability.CHAT, Capability.STREAMING, Capability.JSON_SCHEMA})
LLAMA_CPP = CHAT | {Capability.REASONING, Capability.EMBEDDINGS}

VLLM = {
    "object": "list",
    "data": [
        {
            "id": "Qwen/Qwen3-8B",
            "object": "model",
            "created": 1763650000,
            "owned_by": "vllm",
            "root": "Qwen/Qwen3-8B",
            "parent": None,
            "max_model_len": 32768,
            "permission": [{"id": "modelperm-1", "object": "model_permission", "allow_view": True}],
        },
        {
            "id": "sql-lora",
            "object": "model",
            "created": 1763650000,
            "owned_by": "vllm",
            "root": "/adapters/sql",
            "parent": "Qwen/Qwen3-8B",
            "max_model_len": None,
            "permission": [],
        },
    ],
}
PROPS = {
    "default_generation_settings": {"id": 0, "n_ctx": 8192, "params": {"temperature": 0.8}},
    "total_slots": 4,
    "model_path": "/models/Qwen3-8B-Q4_K_M.gguf",
    "modalities": {"vision": True, "audio": False},
    "chat_template": "{%- if tools %}...{%- endif %}",
    "build_info": "b8681",
}
SHOW = {
    "modelfile": "FROM llama3.2",
    "parameters": 'stop                           "<|eot_id|>"\nnum_ctx                        4096',
    "template": "{{ .Prompt }}",
    "details": {"family": "llama", "parameter_size": "3.2B"},
    "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
    "capabilities": ["completion", "tools"],
}


def model(id_: str, name: str | None = None, **said: Any) -> DiscoveredModel:
    """A model; with one name unless told two."""
    return DiscoveredModel(id=id_, name=name or id_, **said)


def props(capabilities: frozenset[Capability]) -> Props:
    """Those of a server with four slots."""
    return Props(capabilities=capabilities, context_window=8192, slots=4)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            VLLM,
            (model("Qwen/Qwen3-8B", context_window=32768), model("sql-lora", context_window=32768)),
            id="vLLM with a LoRA adapter, which has its parent's window",
        ),
        pytest.param(
            {"data": [{"id": "b", "context_window": 8192}, {"id": "a", "context_length": 4096}]},
            (model("a", context_window=4096), model("b", context_window=8192)),
            id="in any order, and windows by the names that others have for them",
        ),
        pytest.param({"data": []}, (), id="none"),
        pytest.param({"data": [{"id": "a"}, {"id": "a", "max_model_len": 5}]}, (model("a"),), id="one name twice"),
        pytest.param(
            {"data": ["x", None, {}, {"id": 7}, {"id": ""}, {"id": "a b"}, {"id": "\x1b[2J"}, {"id": "x" * 257}]},
            (),
            id="what is no model, or has a name that no object could have",
        ),
        pytest.param(
            {"data": [{"id": [1], "max_model_len": 5}, {"id": "a", "parent": ""}]},
            (model("a"),),
            id="a list for a name",
        ),
        pytest.param(
            {"data": [{"id": "a", "max_model_len": True}, {"id": "b", "max_model_len": -1}, {"id": "c", "parent": []}]},
            (model("a"), model("b"), model("c")),
            id="numbers that are none",
        ),
    ],
)
def test_a_list_in_openais_form(document: Any, expected: tuple[DiscoveredModel, ...]) -> None:
    """Names, and windows where they are told."""
    assert expected == read_list(document)


@pytest.mark.parametrize("document", [None, [], "models", {}, {"data": {}}, {"data": None}, {"models": []}])
def test_what_is_no_list_is_refused(document: Any) -> None:
    """An empty list and no list at all are not the same."""
    with pytest.raises(NoList):
        read_list(document)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, props(LLAMA_CPP | {Capability.VISION, Capability.TOOLS}), id="as it is"),
        pytest.param(
            {"modalities": {"vision": False, "audio": True}, "chat_template": "{{ messages }}"},
            props(LLAMA_CPP | {Capability.AUDIO}),
            id="it hears, and its template knows no tools",
        ),
        pytest.param(
            {"chat_template_caps": {"supports_tools": False}},
            props(LLAMA_CPP | {Capability.VISION}),
            id="it says that its template takes no tools",
        ),
        pytest.param(
            {"chat_template": "{{ messages }}", "chat_template_caps": {"supports_tools": True}},
            props(LLAMA_CPP | {Capability.VISION, Capability.TOOLS}),
            id="it says that its template takes tools",
        ),
        pytest.param(
            {"chat_template": "{{ messages }}", "chat_template_tool_use": "{{ tools }}"},
            props(LLAMA_CPP | {Capability.VISION, Capability.TOOLS}),
            id="a template of its own for tools",
        ),
        pytest.param({"modalities": None}, Props(context_window=8192, slots=4), id="older, and tells no modalities"),
        pytest.param({"role": "router"}, Props(router=True), id="a router, which speaks for no model"),
        pytest.param(
            {"default_generation_settings": {"n_ctx": 0}, "total_slots": 0},
            Props(capabilities=LLAMA_CPP | {Capability.VISION, Capability.TOOLS}),
            id="nothing loaded",
        ),
    ],
)
def test_the_properties_of_llama_cpp(told: dict[str, Any], expected: Props) -> None:
    """The window of a slot, the modalities, and tools where the server says that its template takes them."""
    assert expected == read_props({**PROPS, **told})


def test_a_llama_cpp_is_its_one_model() -> None:
    """It has the server's properties, and the name of its file in the place of the path."""
    document = {"object": "list", "data": [{"id": "/models/Qwen3-8B-Q4_K_M.gguf", "meta": {"n_ctx_train": 40960}}]}
    expected = model(
        "/models/Qwen3-8B-Q4_K_M.gguf",
        "Qwen3-8B-Q4_K_M",
        capabilities=LLAMA_CPP | {Capability.VISION, Capability.TOOLS},
        context_window=8192,
    )
    assert (expected,) == read_llama_cpp(document, read_props(PROPS))


def test_a_router_of_llama_cpp_has_many_models() -> None:
    """Nothing that is said of the server is true of each of them."""
    document = {
        "data": [{"id": "qwen", "status": {"value": "loaded"}}, {"id": "gemma", "status": {"value": "unloaded"}}]
    }
    assert (model("gemma"), model("qwen")) == read_llama_cpp(document, read_props(PROPS))


def test_the_tags_of_ollama() -> None:
    """A name without a tag means the latest; the digest tells when to look again."""
    document = {
        "models": [
            {"name": "qwen3:8b", "model": "qwen3:8b", "size": 5, "digest": "500a1f067a9f", "details": {}},
            {"name": "llama3.2:latest", "model": "llama3.2:latest", "digest": "a80c4f17acd5"},
        ]
    }
    assert (
        model("llama3.2:latest", "llama3.2", version="a80c4f17acd5"),
        model("qwen3:8b", version="500a1f067a9f"),
    ) == read_tags(document)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, {"capabilities": CHAT | {Capability.TOOLS}, "context_window": 4096}, id="cut by num_ctx"),
        pytest.param(
            {"parameters": None, "capabilities": ["completion", "vision", "thinking", "insert", 7]},
            {"capabilities": CHAT | {Capability.VISION, Capability.REASONING}, "context_window": 131072},
            id="what it was made for, and a word that means nothing here",
        ),
        pytest.param(
            {"capabilities": ["embedding"], "parameters": "num_ctx many"},
            {"capabilities": frozenset({Capability.EMBEDDINGS}), "context_window": 131072},
            id="vectors alone",
        ),
        pytest.param(
            {"capabilities": None, "parameters": "", "model_info": []},
            {"capabilities": None, "context_window": None},
            id="older, and tells nothing",
        ),
    ],
)
def test_what_ollama_shows_of_a_model(told: dict[str, Any], expected: dict[str, Any]) -> None:
    """Capabilities in our words, and the window that requests are cut to."""
    listed = model("llama3.2:latest", "llama3.2", version="a80c")
    assert model("llama3.2:latest", "llama3.2", version="a80c", **expected) == read_show(listed, {**SHOW, **told})


KEYS = [
    "data",
    "models",
    "id",
    "name",
    "parent",
    "max_model_len",
    "digest",
    "capabilities",
    "parameters",
    "model_info",
    "general.architecture",
    "modalities",
    "chat_template",
    "chat_template_caps",
    "n_ctx",
    "default_generation_settings",
    "total_slots",
    "role",
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=30,
)


@given(document=JSON)
def test_whatever_is_answered_is_read(document: Any) -> None:
    """No answer breaks the reading: it is a list of models or it is none."""
    for read in (read_list, read_tags, lambda answer: read_llama_cpp(answer, read_props(answer))):
        try:
            models = read(document)
        except NoList:
            continue
        assert sorted({each.name for each in models}) == [each.name for each in models]
    read_show(model("m"), document)
