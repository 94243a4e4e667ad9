"""Tokens, as OpenAI's dialect states them and as its speakers vary them."""

from typing import Any

import pytest

from understudy_proxy.dialects.openai.usage import read_usage
from understudy_proxy.dialects.usage import Usage

PLAIN = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        pytest.param({"usage": PLAIN}, Usage(10, 5), id="plain"),
        pytest.param(
            {
                "usage": PLAIN
                | {
                    "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 1, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 4},
                }
            },
            Usage(10, 5, cached_input=8, cache_write=1, reasoning=4),
            id="with details",
        ),
        pytest.param(
            {"usage": PLAIN | {"prompt_tokens_details": None, "completion_tokens_details": None}},
            Usage(10, 5),
            id="nulls",
        ),
        pytest.param(
            {"usage": PLAIN | {"prompt_cache_hit_tokens": 7, "prompt_cache_miss_tokens": 3}},
            Usage(10, 5, cached_input=7),
            id="DeepSeek",
        ),
        pytest.param(
            {"usage": PLAIN | {"prompt_tokens_details": {"cache_creation_tokens": 6}}},
            Usage(10, 5, cache_write=6),
            id="the older name of cache writes",
        ),
        pytest.param({"usage": None, "x_groq": {"usage": PLAIN}}, Usage(10, 5), id="Groq's streams"),
        pytest.param({"usage": {"prompt_tokens": 3, "total_tokens": 3}}, Usage(3, 0), id="embeddings"),
        pytest.param({"usage": {"prompt_tokens": "3", "completion_tokens": -1}}, Usage(0, 0), id="no counts"),
        pytest.param({"usage": {"prompt_tokens": True, "completion_tokens": 2.5}}, Usage(0, 0), id="odd counts"),
        pytest.param({"usage": None}, None, id="null"),
        pytest.param({}, None, id="absent"),
        pytest.param({"usage": [1]}, None, id="a list"),
        pytest.param({"x_groq": "req_1"}, None, id="another x_groq"),
    ],
)
def test_usage(answer: dict[str, Any], usage: Usage | None) -> None:
    """What a provider counts is read where it is stated, and a slip of its own never breaks the answer."""
    assert read_usage(answer) == usage
