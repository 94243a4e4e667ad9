"""A canonical request in Gemini's words."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from understudy_proxy.config.runtime import Candidate
from understudy_proxy.dialects.canonical.chat import Chat
from understudy_proxy.dialects.gemini.config import generation_config
from understudy_proxy.dialects.gemini.contents import ContentsWriter
from understudy_proxy.dialects.gemini.functions import FunctionNames
from understudy_proxy.dialects.gemini.generations import generation_of
from understudy_proxy.dialects.gemini.tools import write_tools
from understudy_proxy.dialects.unsaid import unsaid


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request, ready but for where it goes."""

    body: dict[str, Any]
    names: FunctionNames
    warnings: tuple[str, ...]


def encode(chat: Chat, candidate: Candidate) -> Encoded:
    """The body for `candidate`.

    Raises:
        RequestError: the request is wrong.
        Unsupported: Gemini cannot do what it asks for.
    """
    model = candidate.upstream_model
    generation = generation_of(model)
    warnings = unsaid(chat, "Gemini")
    names = FunctionNames(tool.name for tool in chat.tools)
    contents = ContentsWriter(names, wants_signatures=generation.wants_signatures).write(chat.messages)
    body: dict[str, Any] = {"contents": contents}
    if system := [{"text": text.text} for text in chat.system if text.text]:
        body["systemInstruction"] = {"parts": system}
    write_tools(chat, body, names=names, generation=generation)
    if config := generation_config(chat, model=model, generation=generation, warnings=warnings):
        body["generationConfig"] = config
    return Encoded(body, names, tuple(warnings))


def path_of(candidate: Candidate, method: str) -> str:
    """Where a method of the candidate's model is, below the base URL."""
    return f"/models/{quote(named(candidate), safe='')}:{method}"


def named(candidate: Candidate) -> str:
    """The model without the `models/` that Google's own lists put before it."""
    return candidate.upstream_model.removeprefix("models/")
