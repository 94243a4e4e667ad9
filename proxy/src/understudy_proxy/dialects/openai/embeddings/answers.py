"""Vectors as they stand in an answer of this dialect."""

from collections.abc import Mapping
from typing import Any

import orjson

from understudy_proxy.dialects.canonical.embedding import Vectors
from understudy_proxy.dialects.failures.kinds import failure_of, is_success, no_answer, parsed, refused
from understudy_proxy.dialects.failures.shapes import said_in
from understudy_proxy.dialects.openai.embeddings.request import EmbeddingRequest
from understudy_proxy.dialects.openai.embeddings.vectors import packed
from understudy_proxy.dialects.usage import Usage
from understudy_proxy.failure import UpstreamFailure

Items = list[dict[str, Any]]


def render(vectors: Vectors, asked: EmbeddingRequest) -> bytes:
    """The body that tells them."""
    usage = vectors.usage or Usage(0, 0)
    return orjson.dumps(
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": packed(vector) if asked.base64 else vector}
                for index, vector in enumerate(vectors.vectors)
            ],
            "model": vectors.model or asked.model,
            "usage": {"prompt_tokens": usage.input, "total_tokens": usage.input},
        }
    )


def answered(
    status: int, headers: Mapping[str, str], body: bytes, *, inputs: int
) -> tuple[dict[str, Any], Items] | UpstreamFailure:
    """The parsed body of an answer and the items in it, one for each input."""
    if not is_success(status):
        return refused(status, headers, body)
    answer = parsed(body)
    if not isinstance(answer, dict):
        return no_answer(body, answer, status=status)
    if (error := said_in(answer)) is not None:
        return failure_of(error, status=None, headers=headers)
    data = answer.get("data")
    items = (
        [item for item in data if isinstance(item, dict) and item.get("embedding")] if isinstance(data, list) else []
    )
    if len(items) != inputs:
        return no_answer(body, answer, status=status)
    return answer, items
