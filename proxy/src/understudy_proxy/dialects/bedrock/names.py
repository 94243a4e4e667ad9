"""Words and limits of this dialect.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

import re
from typing import Any
from urllib.parse import quote

from understudy_proxy.dialects.canonical.answer import Finish
from understudy_proxy.dialects.canonical.content import CacheMark
from understudy_proxy.dialects.usage import Usage

NAME_CHARACTERS = re.compile("[a-zA-Z0-9_-]")
ID_CHARACTERS = re.compile("[a-zA-Z0-9_.:-]")
LONGEST = 64
"""Of names of tools and ids of calls."""
IMAGE_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENT_FORMATS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/aac": "aac",
    "audio/mp4": "mp4",
    "audio/webm": "webm",
}
_GEOGRAPHY = re.compile(r"^(?:global|[a-z]{2}|apac|us-gov)\.(?=[a-z0-9-]+\.)")
STOP_SEQUENCE = "stop_sequence"
_FINISHES = {
    "end_turn": Finish.STOP,
    STOP_SEQUENCE: Finish.STOP,
    "tool_use": Finish.TOOL_CALLS,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "guardrail_intervened": Finish.CONTENT_FILTER,
    "content_filtered": Finish.CONTENT_FILTER,
}


def path(model: str, operation: str) -> str:
    """Where a model is asked; its id is one segment, whatever is in it."""
    return f"/model/{quote(model, safe='')}/{operation}"


def without_geography(model: str) -> str:
    """The id of the model itself, where the one given says in which regions it may run: tokens are counted by model."""
    return _GEOGRAPHY.sub("", model)


def cache_point(mark: CacheMark) -> dict[str, Any]:
    """The block up to which a prompt may be cached."""
    point = {"type": "default"} if mark.ttl is None else {"type": "default", "ttl": mark.ttl}
    return {"cachePoint": point}


def finish_of(stop_reason: Any, *, calls: bool) -> Finish:
    """Why an answer ends; what was cut or filtered stays so even with calls, whose arguments may not be whole."""
    finish = _FINISHES.get(stop_reason, Finish.STOP) if isinstance(stop_reason, str) else Finish.STOP
    if finish in {Finish.STOP, Finish.TOOL_CALLS}:
        return Finish.TOOL_CALLS if calls else Finish.STOP
    return finish


def read_usage(stated: Any) -> Usage | None:
    """Tokens as Bedrock counts them: what was cached, or is newly cached, is not part of the input."""
    if not isinstance(stated, dict):
        return None
    cached, written = _tokens(stated, "cacheReadInputTokens"), _tokens(stated, "cacheWriteInputTokens")
    plain = _tokens(stated, "inputTokens")
    return Usage(plain + cached + written, _tokens(stated, "outputTokens"), cached, written)


def _tokens(stated: dict[str, Any], name: str) -> int:
    value = stated.get(name)
    return value if type(value) is int and value >= 0 else 0
