"""What servers answer when they are asked for their models, read without trusting a byte of it.

Each function takes decoded JSON of any shape. What a server does not tell stays unknown; what makes no sense is left
out; only an answer that is no list of models at all is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import basename
from typing import Any, TypeGuard

from understudy_api.config import Capability
from understudy_operator.compile import DiscoveredModel

_MAX_ID = 256
"""Characters of a model's name, as for one that an object lists."""
_MAX_TOKENS = 100_000_000
_MAX_SLOTS = 1_000_000
_WINDOWS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""How servers call a model's window in OpenAI's list: vLLM and SGLang, OpenRouter, Groq, Mistral."""
_LATEST = ":latest"
"""The tag that Ollama takes where a name has none."""
_GGUF = ".gguf"

_ALWAYS = frozenset({Capability.CHAT, Capability.STREAMING, Capability.JSON_SCHEMA})
_LLAMA_CPP = _ALWAYS | {Capability.REASONING, Capability.EMBEDDINGS}
"""What llama.cpp does not tell of a model is assumed, as of any other."""
_OLLAMA = {
    "completion": _ALWAYS,
    "tools": {Capability.TOOLS},
    "vision": {Capability.VISION},
    "audio": {Capability.AUDIO},
    "thinking": {Capability.REASONING},
    "embedding": {Capability.EMBEDDINGS},
}


class NoList(Exception):
    """An answer that is no list of models."""


@dataclass(frozen=True, slots=True)
class Props:
    """What a llama.cpp tells of itself at `/props`. A router says nothing of the models behind it."""

    router: bool = False
    capabilities: frozenset[Capability] | None = None
    context_window: int | None = None
    slots: int | None = None


def read_list(document: Any) -> tuple[DiscoveredModel, ...]:
    """OpenAI's `/v1/models`, with what some servers add to it.

    A LoRA adapter of vLLM is a model with a `parent`, and has the parent's window.

    Raises:
        NoList: It has no list in `data`.
    """
    named = [(id_, entry) for entry in _entries(document, "data") if (id_ := _id(entry.get("id")))]
    windows = {id_: _window(entry) for id_, entry in named}
    return _models(
        DiscoveredModel(id=id_, name=id_, context_window=_window(entry) or windows.get(_id(entry.get("parent"))))
        for id_, entry in named
    )


def read_llama_cpp(document: Any, props: Props) -> tuple[DiscoveredModel, ...]:
    """llama.cpp's `/v1/models`; where it is one model, with its properties.

    Without an alias the model is called by the path of its file, which is no name that anybody wants to send.

    Raises:
        NoList: It has no list in `data`.
    """
    found = read_list(document)
    single = len(found) == 1
    return _models(
        DiscoveredModel(
            id=model.id,
            name=basename(model.id).removesuffix(_GGUF) or model.id if model.id.endswith(_GGUF) else model.id,
            capabilities=props.capabilities if single else None,
            context_window=(props.context_window if single else None) or model.context_window,
        )
        for model in found
    )


def read_props(document: Any) -> Props:
    """llama.cpp's `/props`. The window is that of a slot, which is what one request gets."""
    props = _mapping(document)
    if props.get("role") == "router":
        return Props(router=True)
    window = _whole(_mapping(props.get("default_generation_settings")).get("n_ctx"), most=_MAX_TOKENS)
    slots = _whole(props.get("total_slots"), most=_MAX_SLOTS)
    return Props(capabilities=_capabilities(props), context_window=window, slots=slots)


def read_tags(document: Any) -> tuple[DiscoveredModel, ...]:
    """Ollama's `/api/tags`: names, and a digest that changes with what `/api/show` would tell.

    Raises:
        NoList: It has no list in `models`.
    """
    return _models(
        DiscoveredModel(id=id_, name=id_.removesuffix(_LATEST), version=_text(entry.get("digest"))[:_MAX_ID])
        for entry in _entries(document, "models")
        if (id_ := _id(entry.get("name")) or _id(entry.get("model")))
    )


def read_show(model: DiscoveredModel, document: Any) -> DiscoveredModel:
    """A model of Ollama's with what `/api/show` tells of it.

    A `num_ctx` of the model's own is its window, since Ollama cuts what is longer; else what the model was made for.
    """
    shown = _mapping(document)
    told = shown.get("capabilities")
    known = [_OLLAMA[each] for each in told if isinstance(each, str) and each in _OLLAMA] if _is_list(told) else []
    return DiscoveredModel(
        id=model.id,
        name=model.name,
        capabilities=frozenset[Capability]().union(*known) if known else None,
        context_window=_num_ctx(_text(shown.get("parameters"))) or _trained(_mapping(shown.get("model_info"))),
        version=model.version,
    )


def _capabilities(props: Mapping[str, Any]) -> frozenset[Capability] | None:
    """From the modalities and the template; None of an older server, which tells neither."""
    modalities, template = props.get("modalities"), props.get("chat_template")
    if not isinstance(modalities, Mapping) or not isinstance(template, str):
        return None
    found = set(_LLAMA_CPP)
    found |= {Capability.VISION} if modalities.get("vision") is True else set()
    found |= {Capability.AUDIO} if modalities.get("audio") is True else set()
    found |= {Capability.TOOLS} if _takes_tools(props, template) else set()
    return frozenset(found)


def _takes_tools(props: Mapping[str, Any], template: str) -> bool:
    """Newer servers say what they read out of the template; of older ones the template itself is looked at."""
    caps = props.get("chat_template_caps")
    if isinstance(caps, Mapping) and "supports_tools" in caps:
        return caps["supports_tools"] is True
    return bool(props.get("chat_template_tool_use")) or "tools" in template


def _num_ctx(parameters: str) -> int | None:
    """Out of lines such as `num_ctx    8192`."""
    for line in parameters.splitlines():
        name, _, value = line.strip().partition(" ")
        if name == "num_ctx" and value.strip().isdecimal() and len(value) <= _MAX_ID:
            return _whole(int(value), most=_MAX_TOKENS)
    return None


def _trained(info: Mapping[str, Any]) -> int | None:
    architecture = _text(info.get("general.architecture"))
    return _whole(info.get(f"{architecture}.context_length"), most=_MAX_TOKENS)


def _window(entry: Mapping[str, Any]) -> int | None:
    return next((found for name in _WINDOWS if (found := _whole(entry.get(name), most=_MAX_TOKENS))), None)


def _models(found: Iterable[DiscoveredModel]) -> tuple[DiscoveredModel, ...]:
    """By name, so that the order in which a server lists them changes nothing; of two with one name, one."""
    by_name: dict[str, DiscoveredModel] = {}
    for model in sorted(found, key=lambda model: (model.name, model.id)):
        by_name.setdefault(model.name, model)
    return tuple(by_name.values())


def _entries(document: Any, key: str) -> list[Mapping[str, Any]]:
    entries = _mapping(document).get(key)
    if not _is_list(entries):
        raise NoList
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _id(value: Any) -> str:
    """A model's name, or "" when it is none that an object could have."""
    text = _text(value)
    return text if len(text) <= _MAX_ID and text.isprintable() and not any(map(str.isspace, text)) else ""


def _whole(value: Any, *, most: int) -> int | None:
    return value if type(value) is int and 0 < value <= most else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
